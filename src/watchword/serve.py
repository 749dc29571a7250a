"""Watchword alone, as a server: the same endpoints, with health checks and stricter requests."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from watchword import Watchword
from watchword.errors import StorageDown
from watchword.metrics import Metrics

_MAX_HEADER_BYTES: Final = 65536


def create_app() -> FastAPI:
    """The server's app, from the settings in the environment; what `watchword serve` runs in every worker.

    Raises:
        ConfigurationError: A setting cannot be used.
    """
    auth = Watchword()
    shows_docs = auth.settings.docs_in_production or not auth.settings.is_production
    metrics = Metrics(auth, CollectorRegistry())

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with metrics.lifespan():
            # What exists now lives as long as the process: no collection of garbage need look at it again, for 50 ms.
            gc.collect()
            gc.freeze()
            yield
            gc.unfreeze()

    app = FastAPI(title="Watchword", openapi_url="/openapi.json" if shows_docs else None, lifespan=lifespan)
    auth.install(app)
    app.add_middleware(StrictHeaders)

    @app.get("/health/live", include_in_schema=False)
    async def live() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/health/ready", include_in_schema=False)
    async def ready(response: Response) -> dict[str, str]:
        try:
            await auth.check_ready()
        except StorageDown:
            response.status_code = 503
            return {"status": "the database does not answer"}
        return {"status": "ready"}

    if auth.settings.metrics_in_production or not auth.settings.is_production:

        @app.get("/metrics", include_in_schema=False)
        async def expose() -> Response:
            return Response(metrics.exposition(), media_type=CONTENT_TYPE_LATEST)

    return app


class StrictHeaders:
    """Refuses what the parser lets through: no Host or two (RFC 9112 §3.2), and headers without end."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 400 or 431 and close."""
        refusal: PlainTextResponse | None = None
        if scope["type"] in {"http", "websocket"}:
            headers: list[tuple[bytes, bytes]] = scope["headers"]
            if sum(name == b"host" for name, _ in headers) != 1:
                refusal = PlainTextResponse("Bad Request", 400, {"Connection": "close"})
            elif sum(len(name) + len(value) for name, value in headers) > _MAX_HEADER_BYTES:
                refusal = PlainTextResponse("Request Header Fields Too Large", 431, {"Connection": "close"})
        await (refusal or self.app)(scope, receive, send)
