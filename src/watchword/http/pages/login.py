"""`/login`, `/login/second-factor`, `/login/set-up`, `/account/logout`.

An authorization request is carried through them as the query of each, and leads back to where it came from.
"""

from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from watchword.errors import InvalidGrant, InvalidRequest, InvalidToken, NoSecondFactor, Refusal
from watchword.events import By
from watchword.flows.log_in_at_pages import PageLogin
from watchword.guard.running import running
from watchword.http.device import device_of
from watchword.http.forms import read_authorization_query
from watchword.http.pages.cookies import (
    PENDING,
    browser_session,
    clear_browser_session,
    clear_cookie,
    cookie,
    set_browser_session,
    set_cookie,
)
from watchword.http.pages.form_tokens import read_page_form
from watchword.http.pages.qr import data_uri
from watchword.http.pages.render import address, go_to, page, query_of
from watchword.http.pages.route import PageRoute
from watchword.http.pages.texts import texts_for
from watchword.http.route import limited
from watchword.http.use_cases import use_cases
from watchword.identity.authenticate_client import ClientCredentials
from watchword.identity.authorization import after_login
from watchword.identity.browser_sessions import OpenedBrowserSession
from watchword.identity.issue import PendingPurpose
from watchword.identity.pending import Pending
from watchword.model import BrowserSession, Limit, PendingLogin

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/login")
async def show_login(request: Request) -> Response:
    """Where email and password are asked for."""
    return page(request, "login.html", email=request.query_params.get("login_hint", ""), error=None)


@router.post("/login")
@limited(Limit.LOGINS)
async def log_in(request: Request) -> Response:
    """Log in, or be asked for a second factor."""
    form = await read_page_form(request)
    use, before = use_cases(request), await browser_session(request)
    login = PageLogin(form.required("email"), form.required("password"), before)
    first_party = await use.authenticate_client(ClientCredentials())
    try:
        done = await use.log_in_at_pages(login, first_party, device=device_of(request))
    except InvalidGrant as refusal:
        return page(request, "login.html", refusal.status, email=login.email, error=_said(request, refusal))
    if isinstance(done, PendingLogin):
        response = go_to(request, "/login/set-up" if done.must_enrol else "/login/second-factor", query_of(request))
        set_cookie(request, response, PENDING, done.access_token, seconds=done.expires_in)
        return response
    return await _logged_in(request, done, before)


@router.get("/login/second-factor")
async def show_second_factor(request: Request) -> Response:
    """Where the code is asked for."""
    if await _pending(request, PendingPurpose.VERIFY) is None:
        return go_to(request, "/login", query_of(request))
    return page(request, "second_factor.html", error=None)


@router.post("/login/second-factor")
@limited(Limit.LOGINS)
async def verify_second_factor(request: Request) -> Response:
    """Complete a login by a code."""
    form = await read_page_form(request)
    pending, before = await _pending(request, PendingPurpose.VERIFY), await browser_session(request)
    if pending is None:
        return go_to(request, "/login", query_of(request))
    verify = use_cases(request).verify_second_factor
    try:
        opened = await verify.at_pages(pending, form.required("code"), before=before, device=device_of(request))
    except InvalidGrant as refusal:
        return page(request, "second_factor.html", refusal.status, error=_said(request, refusal))
    return await _logged_in(request, opened, before)


@router.get("/login/set-up")
async def show_set_up(request: Request) -> Response:
    """Where a user is told that a second factor has to be set up."""
    if await _pending(request, PendingPurpose.SETUP) is None:
        return go_to(request, "/login", query_of(request))
    return page(request, "login_set_up.html")


@router.post("/login/set-up")
@limited(Limit.LOGINS)
async def set_up(request: Request) -> Response:
    """Show a new seed; or with a code of it, put it in force and complete the login."""
    form = await read_page_form(request)
    pending, before = await _pending(request, PendingPurpose.CONFIRM), await browser_session(request)
    if pending is None:
        return go_to(request, "/login", query_of(request))
    enrol, device, code = use_cases(request).enrol_totp, device_of(request), form.optional("code")
    if code is None:
        made = await enrol.set_up_for_login(pending, device=device)
        return page(request, "login_confirm.html", made=made, qr=data_uri(made.qr_svg), error=None)
    try:
        enrolled = await enrol.confirm_at_pages(pending, code, before=before, device=device)
    except (InvalidGrant, NoSecondFactor) as refusal:
        return page(request, "login_confirm.html", refusal.status, made=None, error=_said(request, refusal))
    assert enrolled.opened is not None
    codes = page(request, "recovery_codes.html", codes=enrolled.recovery_codes, next=_next(request))
    return await _logged_in(request, enrolled.opened, before, codes)


@router.get("/account/logout")
async def back_to_account(request: Request) -> Response:
    """Where a page leads back to that a logout was refused by."""
    return go_to(request, "/account")


@router.post("/account/logout")
async def log_out(request: Request) -> Response:
    """End this login, and what it gave to clients."""
    session = await browser_session(request)
    if session is not None:
        await read_page_form(request, session)
        by = By(device=device_of(request))
        await use_cases(request).end_browser_session(session.user_id, [session.id], by=by)
    response = go_to(request, "/logged-out")
    clear_browser_session(request, response)
    return response


@router.get("/logged-out")
async def show_logged_out(request: Request) -> Response:
    """Where a logout leads that leads nowhere else."""
    t = texts_for(request)
    return page(
        request,
        "message.html",
        title=t("logged_out.title"),
        text=t("logged_out.text"),
        link=address(request, "/login"),
        link_text=t("logged_out.link"),
    )


async def _pending(request: Request, purpose: PendingPurpose) -> Pending | None:
    try:
        return await running(request).verify_pending(cookie(request, PENDING) or "", purpose)
    except InvalidToken:
        return None


async def _logged_in(
    request: Request, opened: OpenedBrowserSession, before: BrowserSession | None, shown: Response | None = None
) -> Response:
    """Keep a login, and go on by a page of ours.

    A redirect to a client would not be followed here: `form-action` holds for what a form leads to as well.
    """
    if before is not None and before.id != opened.session.id:  # somebody else's
        by = By(device=device_of(request))
        await use_cases(request).end_browser_session(before.user_id, [before.id], by=by)
    response = shown or page(request, "continue.html", next=_next(request))
    set_browser_session(request, response, opened.cookie)
    clear_cookie(request, response, PENDING)
    return response


def _next(request: Request) -> str:
    """The authorization request, with what was asked for done; else the account. Never what a query names.

    A query that cannot be read is nobody's request. To refuse it here would come too late: codes are used up by now,
    and those that are shown once would be seen by nobody.
    """
    try:
        asked = read_authorization_query(request)
    except InvalidRequest:
        asked = {}
    if "client_id" not in asked:
        return address(request, "/account")
    return address(request, "/authorize", urlencode(after_login(asked)))


def _said(request: Request, refusal: Refusal) -> str:
    return texts_for(request).of_refusal(refusal)
