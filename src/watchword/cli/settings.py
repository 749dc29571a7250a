"""`watchword settings`."""

import json
import os

from sqlalchemy import make_url

from watchword.settings import Settings


def shown_settings(settings: Settings) -> list[tuple[str, str, str]]:
    """Variable, value and where it is from; passwords and secrets masked."""
    values = settings.model_dump(mode="json")
    return [
        (variable, _shown(settings, name, values[name]), _origin(settings, name, variable))
        for name, variable in ((name, f"WATCHWORD_{name.upper()}") for name in Settings.model_fields)
    ]


def _shown(settings: Settings, name: str, value: object) -> str:
    if name == "database_url":
        return make_url(settings.database_url.get_secret_value()).render_as_string(hide_password=True)
    if name == "secret":
        return " ".join("***" for _ in settings.secret)
    return value if isinstance(value, str) else json.dumps(value)


def _origin(settings: Settings, name: str, variable: str) -> str:
    if any(key.upper() == variable for key in os.environ):
        return "environment"
    # What a validator fills in (the development issuer) counts as default as well.
    return ".env" if name in settings.model_fields_set and name not in {"issuer", "audience"} else "default"
