"""`watchword serve`."""

import asyncio
import sys
from importlib import import_module
from types import ModuleType
from typing import Any

from watchword.cli.database import unreachable
from watchword.cli.output import say
from watchword.errors import ConfigurationError, StorageDown
from watchword.identity.secret_file import development_secret
from watchword.settings import Settings, load_settings
from watchword.storage import Database
from watchword.storage.schema import require_current, upgrade


def run_server(host: str, port: int, *, workers: int) -> None:
    """Prepare what all workers share, then run them until a signal ends them.

    Raises:
        ConfigurationError: It cannot start.
    """
    uvicorn = import_uvicorn()
    settings = load_settings()
    asyncio.run(_prepare(settings))
    say(f"Issuer {settings.issuer}; tokens at http://{host}:{port}{settings.prefix}/token")
    if settings.is_production and not settings.trusted_proxies:
        say("Behind a proxy that ends TLS, set WATCHWORD_TRUSTED_PROXIES to its address: credentials need https.")
    uvicorn.run(
        "watchword.serve:create_app",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        **uvicorn_options(settings.trusted_proxies),
    )


def import_uvicorn() -> ModuleType:
    """Uvicorn and the parser we rely on.

    Raises:
        ConfigurationError: They are not installed.
    """
    try:
        import_module("httptools")
        return import_module("uvicorn")
    except ModuleNotFoundError:
        raise ConfigurationError("the server is an extra: install watchword[server]") from None


def uvicorn_options(trusted_proxies: str = "") -> dict[str, Any]:
    """How our servers run: a strict parser, no Server header, and proxy headers only from whom the settings trust."""
    return {
        "http": "httptools",
        "loop": "asyncio" if sys.platform == "win32" else "uvloop",
        "server_header": False,
        "proxy_headers": bool(trusted_proxies),
        "forwarded_allow_ips": trusted_proxies,
    }


async def _prepare(settings: Settings) -> None:
    """What one process does before many start: the schema and, in development, the secret."""
    database = Database(settings.database_url.get_secret_value(), pool_size=1)
    try:
        await (require_current(database) if settings.is_production else upgrade(database))
    except StorageDown as error:
        raise unreachable(error) from None
    finally:
        await database.close()
    if not settings.secret:
        development_secret(settings)
