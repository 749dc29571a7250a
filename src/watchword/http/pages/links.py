"""`/forgot`, `/reset` and `/verify`: asking for a mailed link, and where it leads.

The token is behind the # of the link, which no server and no log sees. A script puts it into the form; without one, the
user pastes the link there.
"""

from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from watchword.errors import InvalidLink, WeakPassword
from watchword.events import By
from watchword.flows.reset_password import PasswordResetRequest
from watchword.http.device import device_of
from watchword.http.pages.form_tokens import read_page_form
from watchword.http.pages.render import address, page
from watchword.http.pages.route import PageRoute
from watchword.http.pages.texts import texts_for
from watchword.http.route import limited
from watchword.http.use_cases import use_cases
from watchword.model import Limit

router = APIRouter(route_class=PageRoute, include_in_schema=False)
by_mail = APIRouter(route_class=PageRoute, include_in_schema=False)

_BEFORE_THE_TOKEN: Final = "#token="  # noqa: S105 — what is before one


@by_mail.get("/forgot")
async def show_forgot(request: Request) -> Response:
    """Where an address is asked for."""
    return page(request, "forgot.html", email=request.query_params.get("login_hint", ""))


@by_mail.post("/forgot")
@limited(Limit.SIGN_UPS)
async def forgot(request: Request) -> Response:
    """Mail a link. What is answered is the same where nobody has the address."""
    form = await read_page_form(request)
    by = By(device=device_of(request))
    await use_cases(request).request_password_reset.by_email(form.required("email"), by=by)
    return _message(request, "forgot.sent", link="/login")


@router.get("/reset")
async def show_reset(request: Request) -> Response:
    """Where a new password is asked for."""
    return page(request, "reset.html", script=True, token="", error=None, is_over=False)


@router.post("/reset")
@limited(Limit.LOGINS)
async def reset(request: Request) -> Response:
    """Set a new password. It logs nobody in."""
    form = await read_page_form(request)
    token = _token(form.required("token"))
    wanted = PasswordResetRequest(token, form.required("new_password"))
    try:
        await use_cases(request).reset_password(wanted, device=device_of(request))
    except (WeakPassword, InvalidLink) as refusal:
        error, is_over = texts_for(request).of_refusal(refusal), isinstance(refusal, InvalidLink)
        token = "" if is_over else token
        return page(request, "reset.html", refusal.status, script=True, token=token, error=error, is_over=is_over)
    return _message(request, "reset.done", link="/login")


@router.get("/verify")
async def show_verify(request: Request) -> Response:
    """Where an address is proved."""
    return page(request, "verify.html", script=True, error=None)


@router.post("/verify")
@limited(Limit.LOGINS)
async def verify(request: Request) -> Response:
    """Prove it."""
    form = await read_page_form(request)
    try:
        await use_cases(request).verify_email(_token(form.required("token")), device=device_of(request))
    except InvalidLink as refusal:
        error = texts_for(request).of_refusal(refusal)
        return page(request, "verify.html", refusal.status, script=True, error=error)
    return _message(request, "verify.done", link="/login")


def _token(pasted: str) -> str:
    """The token, or what is behind the # of a link that was pasted whole."""
    return pasted.strip().rpartition(_BEFORE_THE_TOKEN)[2]


def _message(request: Request, name: str, *, link: str) -> Response:
    t = texts_for(request)
    return page(
        request,
        "message.html",
        title=t(f"{name}.title"),
        text=t(f"{name}.text"),
        link=address(request, link),
        link_text=t("login.title"),
    )
