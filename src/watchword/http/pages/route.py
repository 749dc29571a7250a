"""The `APIRoute` of pages: refusals become a page that says what went wrong."""

import logging
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from typing_extensions import override

from watchword.errors import NotLoggedIn, Refusal, TooManyRequests, Unavailable
from watchword.http.pages.render import go_to, page, query_of
from watchword.http.pages.texts import texts_for
from watchword.http.route import JsonRoute

_log: Final = logging.getLogger("watchword.http")


class PageRoute(JsonRoute):
    """Errors as a page, with the status that a JSON endpoint would answer."""

    @override
    def _refuse(self, request: Request, refusal: Refusal) -> Response:
        _log.info("refused %s %s: %s (%s)", request.method, self.path, refusal.code, refusal.detail)
        if isinstance(refusal, NotLoggedIn):
            return go_to(request, "/login", query_of(request))
        return refused(request, refusal)


def refused(request: Request, refusal: Refusal) -> Response:
    """The page about a refusal."""
    seconds = refusal.retry_after if isinstance(refusal, Unavailable | TooManyRequests) else None
    return page(
        request,
        "error.html",
        refusal.status,
        headers={"Retry-After": str(seconds)} if seconds is not None else None,
        message=texts_for(request).of_refusal(refusal),
        seconds=seconds,
        can_retry=request.method == "POST",
    )
