"""`watchword serve`."""

import asyncio
import contextlib
import copy
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from importlib import import_module
from typing import Any, Final

from fastapi import FastAPI

from watchword import Watchword
from watchword.cli.output import say
from watchword.errors import ConfigurationError
from watchword.settings import LogFormat, Settings, load_settings

_NEEDED: Final = ("uvicorn", "httptools", "prometheus_client", "structlog") + (
    () if sys.platform == "win32" else ("uvloop",)
)
_BACKLOG: Final = 2048
_GRACE_SECONDS: Final = 10


def run_server(host: str, port: int, *, workers: int) -> None:
    """Prepare what all workers share, then run them until a signal ends them.

    Raises:
        ConfigurationError: It cannot start.
        SystemExit: It could not start; the log says why.
    """
    require_uvicorn()
    settings = load_settings()
    with listen(host, port) as listener:
        asyncio.run(_start_once(settings))
        _announce(settings, listener)
        end_by_interrupt()
        with contextlib.suppress(KeyboardInterrupt):
            _run(listener, workers, settings)


def require_uvicorn() -> None:
    """Check that the server can run.

    Raises:
        ConfigurationError: What it needs is not installed.
    """
    try:
        for module in _NEEDED:
            import_module(module)
    except ModuleNotFoundError:
        raise ConfigurationError("the server is an extra: install watchword[server]") from None


def uvicorn_options(trusted_proxies: str = "") -> dict[str, Any]:
    """How our servers run: a strict parser, no Server header, and proxy headers only from whom the settings trust."""
    return {
        "http": "watchword.cli.protocol:BoundedHttp",
        "loop": "asyncio" if sys.platform == "win32" else "uvloop",
        "lifespan": "on",
        "server_header": False,
        "proxy_headers": bool(trusted_proxies),
        "forwarded_allow_ips": trusted_proxies,
        "timeout_graceful_shutdown": _GRACE_SECONDS,
    }


def listen(host: str, port: int) -> socket.socket:
    """A socket that takes connections from now on; port 0 is any that is free.

    Raises:
        ConfigurationError: The address is taken, not ours, or no address.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        if sys.platform != "win32":  # where it would let two servers have one port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            f"cannot listen on {host}:{port} ({error.strerror}): choose another --host or --port"
        ) from None
    listener.set_inheritable(True)
    return listener


def end_by_interrupt() -> None:
    """Make the other signals that end a process do what Ctrl-C does: what is open is closed, and the status is 0."""
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.default_int_handler)


async def _start_once(settings: Settings) -> None:
    """Start and stop: the schema, the secret and the keys are there before workers start, and what is wrong is told."""
    Watchword(settings).install(FastAPI(openapi_url=None))  # refuses what an app needs and a command does not
    async with Watchword(settings).lifespan(FastAPI(openapi_url=None)):
        pass


def _announce(settings: Settings, listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    base = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    say(f"Watchword ({settings.environment}) on {base}, issuer {settings.issuer}")
    say(f"Tokens: POST {base}{settings.prefix}/token" + ("" if settings.is_production else f"   docs: {base}/docs"))
    if settings.is_production and not settings.trusted_proxies:
        say("Behind a proxy that ends TLS, set WATCHWORD_TRUSTED_PROXIES to its address: credentials need https.")
    sys.stdout.flush()


def _run(listener: socket.socket, workers: int, settings: Settings) -> None:
    from uvicorn import Config, Server
    from uvicorn.config import STARTUP_FAILURE
    from uvicorn.supervisors import Multiprocess

    config = Config(
        "watchword.serve:create_app",
        factory=True,
        workers=workers,
        log_config=_logging_config(settings.log_format),
        **uvicorn_options(settings.trusted_proxies),
    )
    if workers == 1:
        try:
            Server(config).run([listener])
        except SystemExit:
            raise SystemExit(1) from None
    else:
        supervisor = Multiprocess(config, [listener])
        with _shared_metrics():
            supervisor.run()
        if any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes):
            raise SystemExit(1)


@contextlib.contextmanager
def _shared_metrics() -> Iterator[None]:
    """A folder in which workers, which are spawned and so inherit the variable, count together."""
    from watchword.metrics import MULTIPROCESS

    with tempfile.TemporaryDirectory(prefix="watchword-metrics-", ignore_cleanup_errors=True) as folder:
        os.environ[MULTIPROCESS] = folder
        try:
            yield
        finally:
            del os.environ[MULTIPROCESS]


def _logging_config(log_format: LogFormat) -> dict[str, Any]:
    from uvicorn.config import LOGGING_CONFIG

    config = copy.deepcopy(LOGGING_CONFIG)
    config["filters"] = {"without_query": {"()": "watchword.cli.protocol.WithoutQuery"}}
    config["handlers"]["access"]["filters"] = ["without_query"]
    if log_format is LogFormat.JSON:
        for name in config["formatters"]:
            config["formatters"][name] = {"()": "watchword.cli.logs.json_formatter"}
    config["loggers"]["watchword"] = {"handlers": ["default"], "level": "INFO", "propagate": False}
    return config
