"""`/authorize` (RFC 6749 §3.1): where clients send browsers, and from where these go back."""

from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from watchword.flows.authorize import ConsentNeeded, LoginNeeded
from watchword.http.forms import read_authorization_request
from watchword.http.pages.cookies import browser_session
from watchword.http.pages.render import SAFE, go_to
from watchword.http.pages.route import PageRoute
from watchword.http.responses import NO_STORE
from watchword.http.use_cases import use_cases

router = APIRouter(route_class=PageRoute)


@router.get("/authorize", include_in_schema=False)
async def authorize(request: Request) -> Response:
    """Log in, ask, or send the browser back with a code or an error."""
    parameters = await read_authorization_request(request)
    answer = await use_cases(request).authorize(parameters, await browser_session(request))
    if isinstance(answer, LoginNeeded):
        return go_to(request, "/login", urlencode(parameters))
    if isinstance(answer, ConsentNeeded):
        return go_to(request, "/consent", urlencode(parameters))
    return RedirectResponse(answer.uri, 303, {**SAFE, **NO_STORE})


@router.post("/authorize", include_in_schema=False)
async def authorize_by_form(request: Request) -> Response:
    """The same for a form (OpenID Connect Core §3.1.2.1). What another site posts comes without our cookie; so: GET."""
    return go_to(request, "/authorize", urlencode(await read_authorization_request(request)))
