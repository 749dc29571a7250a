"""`watchword settings`."""

import json
import re
from typing import Any, Final

from pydantic_settings import DotEnvSettingsSource, EnvSettingsSource

from watchword.settings import Settings

_MASK: Final = "***"
# Up to the last @: a password with an unescaped @ or / in it must not show its end as the host.
_USERINFO: Final = re.compile(r"(://[^:/@?]*:).*@", re.DOTALL)
_QUERY_PASSWORD: Final = re.compile(r"([?&][^=&]*pass[^=&]*=)[^&]*", re.IGNORECASE)


def shown_settings(settings: Settings) -> list[tuple[str, str, str]]:
    """Variable, value and where it is from; passwords and secrets masked."""
    sources: dict[str, dict[str, Any]] = {
        "environment": EnvSettingsSource(Settings)(),
        ".env": DotEnvSettingsSource(Settings)(),
    }
    values = settings.model_dump(mode="json")
    return [
        (
            f"WATCHWORD_{name.upper()}",
            _shown(settings, name, values[name]),
            next((source for source, found in sources.items() if name in found), "default"),
        )
        for name in Settings.model_fields
    ]


def mask_url(url: str) -> str:
    """An address without its password, wherever that stands in it. It need not be one that anything can read."""
    return _QUERY_PASSWORD.sub(rf"\1{_MASK}", _USERINFO.sub(rf"\1{_MASK}@", url))


def _shown(settings: Settings, name: str, value: object) -> str:
    if name == "database_url":
        return mask_url(settings.database_url.get_secret_value())
    if name == "secret":
        return " ".join(_MASK for _ in settings.secret)
    return mask_url(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
