"""The secret that development makes for itself."""

import contextlib
import logging
import os
import secrets
from pathlib import Path
from typing import Final

from watchword.errors import ConfigurationError
from watchword.settings import MIN_SECRET_BYTES, Settings

_log: Final = logging.getLogger("watchword")


def secrets_in_force(settings: Settings) -> list[bytes]:
    """The secrets of the settings, the first of which is used for what is new; else the one that development makes.

    Raises:
        ConfigurationError: See `development_secret`.
    """
    return [secret.get_secret_value().encode() for secret in settings.secret] or [development_secret(settings).encode()]


def development_secret(settings: Settings) -> str:
    """Read the secret of this development database, or make it: once, whoever comes first, readable by its owner only.

    Raises:
        ConfigurationError: The file cannot be made or read, or holds no secret.
    """
    path = secret_path(settings)
    try:
        if not path.exists():
            with contextlib.suppress(FileExistsError):  # of processes that start at once, one makes it
                _create(path)
        secret = path.read_text("ascii").strip()
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"the development secret {path} cannot be made or read ({type(error).__name__}): set WATCHWORD_SECRET"
        ) from None
    if len(secret) < MIN_SECRET_BYTES:
        raise ConfigurationError(
            f"the development secret {path} is damaged: restore it, or delete it with its database"
        )
    return secret


def secret_path(settings: Settings) -> Path:
    """Beside the SQLite file; elsewhere in the working directory."""
    url = settings.database_url.get_secret_value()
    path = url.partition(":///")[2].partition("?")[0] if url.startswith("sqlite") else ""
    return Path(path).with_suffix(".secret") if path and path != ":memory:" else Path("watchword.secret")


def _create(path: Path) -> None:
    # Written aside and linked into place: whoever finds the file finds all of it.
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48) + "\n")
        os.link(draft, path)
        _log.warning("made a development secret in %s; production needs WATCHWORD_SECRET", path)
    finally:
        draft.unlink()
