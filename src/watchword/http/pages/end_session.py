"""`/end-session`: a client logs its user out of our pages (OpenID Connect RP-Initiated Logout)."""

from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from watchword.events import By
from watchword.http.device import device_of
from watchword.http.forms import read_authorization_request, read_fields
from watchword.http.pages.cookies import browser_session, clear_browser_session
from watchword.http.pages.form_tokens import FIELD, read_page_form
from watchword.http.pages.render import SAFE, address, go_to, page, query_of
from watchword.http.pages.route import PageRoute
from watchword.http.responses import NO_STORE
from watchword.http.use_cases import use_cases
from watchword.model import BrowserSession

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/end-session")
async def end_session(request: Request) -> Response:
    """Log out and go where the client wants it, or ask first."""
    parameters, browser = await read_authorization_request(request), await browser_session(request)
    plan = await use_cases(request).plan_logout(parameters, browser)
    if plan.must_ask:
        return page(request, "logout.html", session=browser)
    if plan.redirect_uri is None:
        answer = go_to(request, "/logged-out")
    else:
        answer = RedirectResponse(plan.redirect_uri, 303, {**SAFE, **NO_STORE})
    await _end(request, browser, answer)
    return answer


@router.post("/end-session")
async def end_session_by_form(request: Request) -> Response:
    """The answer to our question, or a client's form: what another site posts comes without our cookie; so: GET."""
    if (await read_fields(request)).optional(FIELD) is None:
        return go_to(request, "/end-session", urlencode(await read_authorization_request(request)))
    browser = await browser_session(request)
    form = await read_page_form(request, browser)
    if form.optional("answer") != "logout":
        return go_to(request, "/account")
    # The way on is ours first: browsers take no redirect to elsewhere from a form.
    answer = page(request, "continue.html", next=address(request, "/end-session", query_of(request)))
    await _end(request, browser, answer)
    return answer


async def _end(request: Request, browser: BrowserSession | None, answer: Response) -> None:
    if browser is not None:
        by = By(device=device_of(request))
        await use_cases(request).end_browser_session(browser.user_id, [browser.id], by=by)
    clear_browser_session(request, answer)
