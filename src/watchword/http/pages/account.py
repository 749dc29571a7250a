"""`/account` and below: what a user sees and changes of their own account. Each page asks for a login."""

from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from watchword.errors import InvalidGrant, NoSecondFactor, NotFound, SecondFactorRequired, WeakPassword, WrongPassword
from watchword.events import By
from watchword.flows.change_password import PasswordChange
from watchword.http.device import device_of
from watchword.http.pages.cookies import clear_browser_session, logged_in
from watchword.http.pages.devices import device_name
from watchword.http.pages.form_tokens import read_page_form
from watchword.http.pages.qr import data_uri
from watchword.http.pages.render import address, go_to, page
from watchword.http.pages.route import PageRoute
from watchword.http.pages.texts import texts_for
from watchword.http.route import limited
from watchword.http.use_cases import use_cases
from watchword.model import Account, BrowserSession, Limit

router = APIRouter(prefix="/account", route_class=PageRoute, include_in_schema=False)


@router.get("")
async def show_account(request: Request) -> Response:
    """The overview."""
    session = await logged_in(request)
    account = await _account(request, session)
    return page(request, "account.html", session=session, account_of=account)


@router.get("/sessions")
async def show_sessions(request: Request) -> Response:
    """Where the user is logged in."""
    return await _sessions(request, await logged_in(request))


@router.post("/sessions")
async def end_sessions(request: Request) -> Response:
    """Log out somewhere else, or everywhere else."""
    session = await logged_in(request)
    form = await read_page_form(request, session)
    use, by, wanted = use_cases(request), By(device=device_of(request)), form.required("end")
    if wanted == "others":
        await use.end_sessions.others(session.user_id, but_of_browser=session.id, by=by)
    elif form.optional("kind") == "browser":
        await use.end_browser_session(session.user_id, [_id(wanted)], by=by)
    else:
        await use.end_sessions.one(session.user_id, _id(wanted), by=by)
    return await _sessions(request, session, notice=texts_for(request)("sessions.ended"))


@router.get("/password")
async def show_password(request: Request) -> Response:
    """Where a new password is asked for."""
    session = await logged_in(request)
    return page(request, "password.html", session=session, error=None, wrong=None)


@router.post("/password")
@limited(Limit.LOGINS)
async def change_password(request: Request) -> Response:
    """Change it. Every login ends, this one included."""
    session = await logged_in(request)
    form, t = await read_page_form(request, session), texts_for(request)
    change = PasswordChange(session.user_id, form.required("password"), form.required("new_password"))
    try:
        await use_cases(request).change_password(change, device=device_of(request))
    except (WrongPassword, WeakPassword) as refusal:
        wrong = "password" if isinstance(refusal, WrongPassword) else "new_password"
        error = t.of_refusal(refusal)
        return page(request, "password.html", refusal.status, session=session, error=error, wrong=wrong)
    response = page(
        request,
        "message.html",
        title=t("password.done.title"),
        text=t("password.done.text"),
        link=address(request, "/login"),
        link_text=t("login.title"),
    )
    clear_browser_session(request, response)
    return response


@router.get("/second-factor")
async def show_second_factor(request: Request) -> Response:
    """Whether there is one, and what can be done."""
    return await _second_factor(request, await logged_in(request))


@router.get("/second-factor/set-up")
@router.get("/second-factor/confirm")
@router.get("/second-factor/recovery-codes")
@router.get("/second-factor/disable")
async def back_to_second_factor(request: Request) -> Response:
    """Where a page leads back to that one of these forms was answered by."""
    return go_to(request, "/account/second-factor")


@router.post("/second-factor/set-up")
@limited(Limit.LOGINS)
async def set_up(request: Request) -> Response:
    """Show a new seed, for the password and a code of the factor in force."""
    session = await logged_in(request)
    form, enrol = await read_page_form(request, session), use_cases(request).enrol_totp
    password, code = form.required("password"), form.optional("code")
    try:
        made = await enrol.set_up(session.user_id, password, code, device=device_of(request))
    except (WrongPassword, InvalidGrant) as refusal:
        return await _second_factor(request, session, refusal=refusal)
    return page(request, "confirm.html", session=session, made=made, qr=data_uri(made.qr_svg), error=None)


@router.post("/second-factor/confirm")
@limited(Limit.LOGINS)
async def confirm(request: Request) -> Response:
    """Put it in force by a code of it; the recovery codes are shown this once."""
    session = await logged_in(request)
    form, enrol = await read_page_form(request, session), use_cases(request).enrol_totp
    try:
        enrolled = await enrol.confirm_for_session(
            session.user_id, session, form.required("code"), device=device_of(request)
        )
    except (InvalidGrant, NoSecondFactor) as refusal:
        error = texts_for(request).of_refusal(refusal)
        return page(request, "confirm.html", refusal.status, session=session, made=None, error=error)
    return page(request, "codes.html", session=session, codes=enrolled.recovery_codes)


@router.post("/second-factor/recovery-codes")
@limited(Limit.LOGINS)
async def renew_recovery_codes(request: Request) -> Response:
    """Make new ones, shown this once."""
    session = await logged_in(request)
    form, manage = await read_page_form(request, session), use_cases(request).manage_second_factor
    password, code = form.required("password"), form.required("code")
    try:
        codes = await manage.renew_recovery_codes(session.user_id, password, code, device=device_of(request))
    except (WrongPassword, InvalidGrant, NoSecondFactor) as refusal:
        return await _second_factor(request, session, refusal=refusal)
    return page(request, "codes.html", session=session, codes=codes)


@router.post("/second-factor/disable")
@limited(Limit.LOGINS)
async def disable(request: Request) -> Response:
    """Remove it."""
    session = await logged_in(request)
    form, manage = await read_page_form(request, session), use_cases(request).manage_second_factor
    password, code = form.required("password"), form.required("code")
    try:
        await manage.disable(session.user_id, password, code, device=device_of(request))
    except (WrongPassword, InvalidGrant, NoSecondFactor, SecondFactorRequired) as refusal:
        return await _second_factor(request, session, refusal=refusal)
    return await _second_factor(request, session, notice=texts_for(request)("factor.disabled"))


async def _sessions(request: Request, session: BrowserSession, *, notice: str | None = None) -> Response:
    use = use_cases(request)
    return page(
        request,
        "sessions.html",
        session=session,
        notice=notice,
        browsers=await use.list_sessions.at_pages(session.user_id),
        sessions=await use.list_sessions(session.user_id),
        device_name=device_name,
    )


async def _second_factor(
    request: Request,
    session: BrowserSession,
    *,
    refusal: WrongPassword | InvalidGrant | NoSecondFactor | SecondFactorRequired | None = None,
    notice: str | None = None,
) -> Response:
    account = await _account(request, session)
    return page(
        request,
        "factor.html",
        200 if refusal is None else refusal.status,
        session=session,
        account_of=account,
        notice=notice,
        wanted=request.scope["path"].rpartition("/")[2],
        error=None if refusal is None else texts_for(request).of_refusal(refusal),
        wrong="password" if isinstance(refusal, WrongPassword) else "code",
    )


async def _account(request: Request, session: BrowserSession) -> Account:
    account = await use_cases(request).find_user.by_id(session.user_id)
    if account is None:
        raise NotFound(f"user {session.user_id} is gone")
    return account


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("no id of a session") from None
