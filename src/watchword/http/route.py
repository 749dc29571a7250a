"""The `APIRoute` that all our endpoints share: errors become our shapes here, so no app-wide handler is needed."""

import logging
from collections.abc import Callable, Coroutine
from typing import Any, ClassVar, Final, TypeVar, cast, get_type_hints

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive
from typing_extensions import override

from watchword.errors import HttpsRequired, InvalidInput, Refusal, RequestTooLarge
from watchword.http.cors import CROSS_ORIGIN, HEADERS
from watchword.http.device import device_of
from watchword.http.responses import NO_STORE, json_refusal, oauth_refusal
from watchword.http.use_cases import use_cases
from watchword.identity.profiles import describe_problems
from watchword.model import Limit

MAX_BODY_BYTES: Final = 1_048_576
_log: Final = logging.getLogger("watchword.http")

_LIMIT: Final = "watchword_limit"
_RAW_HEADERS: Final = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]

E = TypeVar("E", bound=Callable[..., Any])
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def limited(limit: Limit) -> Callable[[E], E]:
    """Limit how often one network may ask an endpoint of ours, before anything is read: put below the route's line."""

    def mark(endpoint: E) -> E:
        setattr(endpoint, _LIMIT, limit)
        return endpoint

    return mark


class JsonRoute(APIRoute):
    """Errors as `{"detail", "code"}`. FastAPI's own 422 would repeat a posted password."""

    takes_credentials: ClassVar[bool] = True
    oauth_errors: ClassVar[bool] = False

    @override
    def get_route_handler(self) -> Handler:
        handler = self.inner_handler()
        limit: Limit | None = getattr(self.endpoint, _LIMIT, None)

        async def handle(request: Request) -> Response:
            request = Request(request.scope, _bounded(request.receive))
            try:
                if self.takes_credentials and use_cases(request).https_only and request.scope["scheme"] != "https":
                    raise HttpsRequired("plain http in production")
                if limit is not None:
                    await use_cases(request).limits.hit(limit, self.path, device_of(request))
                response = await handler(request)
            except RequestValidationError as error:
                return self._refuse(request, InvalidInput(text=describe_problems(error.errors())))
            except HTTPException as error:
                if isinstance(error.__cause__, Refusal):  # FastAPI turns whatever reading the body raised into its 400
                    return self._refuse(request, error.__cause__)
                if error.__cause__ is not None:
                    return self._refuse(request, InvalidInput("unreadable JSON", text="The body is not valid JSON"))
                error.headers = {**NO_STORE, **(error.headers or {})}
                raise  # a guard's, in the shape that guards have everywhere
            except Refusal as refusal:
                return self._refuse(request, refusal)
            if not any(name == b"cache-control" for name, _ in response.raw_headers):
                response.headers["Cache-Control"] = NO_STORE["Cache-Control"]
            return response

        return _readable_elsewhere(handle) if hasattr(self.endpoint, CROSS_ORIGIN) else handle

    def inner_handler(self) -> Handler:
        """What answers, refusals aside."""
        return super().get_route_handler()

    def _refuse(self, request: Request, refusal: Refusal) -> Response:
        _log.info("refused %s %s: %s (%s)", request.method, self.path, refusal.code, refusal.detail)
        return oauth_refusal(refusal) if self.oauth_errors else json_refusal(refusal)


class OAuthRoute(JsonRoute):
    """Errors as RFC 6749 §5.2 has them. The endpoint takes the request and nothing else, for we parse the form.

    So there is nothing for FastAPI to solve, which would take a sixth of what a token takes; unless the host put
    dependencies before all endpoints of its app, or the app's routes into another app.
    """

    oauth_errors = True

    @override
    def inner_handler(self) -> Handler:
        assert list(get_type_hints(self.endpoint)) == ["request", "return"]
        by_fastapi, alone = super().inner_handler(), cast("Handler", self.endpoint)

        async def handle(request: Request) -> Response:
            nothing_to_solve = use_cases(request).app_without_dependencies is request.scope.get("app")
            return await (alone if nothing_to_solve else by_fastapi)(request)

        return handle


class PublicRoute(JsonRoute):
    """An endpoint that takes no credential and answers over plain HTTP too."""

    takes_credentials = False


def _readable_elsewhere(handle: Handler) -> Handler:
    """Have scripts of other sites read the answer, a refusal too. A host's own middleware has the last word."""

    async def handle_for_any_origin(request: Request) -> Response:
        try:
            response = await handle(request)
        except HTTPException as error:
            error.headers = {**(error.headers or {}), **HEADERS}
            raise
        response.raw_headers += _RAW_HEADERS
        return response

    return handle_for_any_origin


def _bounded(receive: Receive) -> Receive:
    """A body that is too long is refused while it comes in, before anything parses it."""
    received = 0

    async def bounded() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > MAX_BODY_BYTES:
            raise RequestTooLarge("body over the limit")
        return message

    return bounded
