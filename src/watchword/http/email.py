"""`/users` where addresses have to be proved, and `/email`: what a mailed link is for."""

from typing import Any, Final

from fastapi import APIRouter
from pydantic import Field
from starlette.requests import Request

from watchword.flows.change_email import EmailChange
from watchword.flows.sign_up import SignUpRequest
from watchword.guard.dependencies import CurrentUser
from watchword.http.account import Password, SignUp, Text
from watchword.http.bodies import JsonRequest
from watchword.http.device import device_of
from watchword.http.responses import ErrorAnswer, MailedAnswer
from watchword.http.route import JsonRoute, limited
from watchword.http.second_factor import Code
from watchword.http.use_cases import use_cases
from watchword.model import Limit

sign_up = APIRouter(route_class=JsonRoute, tags=["auth"])
router = APIRouter(prefix="/email", route_class=JsonRoute, tags=["auth"])

_NO: Final[dict[int | str, dict[str, Any]]] = {status: {"model": ErrorAnswer} for status in (422, 429, 503)}


class EmailToken(JsonRequest):
    """The token of a link."""

    token: Text = Field(json_schema_extra={"format": "password"})


class EmailOnly(JsonRequest):
    """An address."""

    email: Text


class NewEmail(JsonRequest):
    """The new address and the password; and where a second factor is in force, a code of it."""

    new_email: Text
    password: Password
    code: Code | None = None


@sign_up.post("/users", status_code=202, responses=_NO)
@limited(Limit.SIGN_UPS)
async def register(request: Request, body: SignUp) -> MailedAnswer:
    """Sign up. The account is made once the mailed link was followed; a taken address gets the same answer."""
    await use_cases(request).sign_up(SignUpRequest(body.email, body.password, body.profile))
    return MailedAnswer()


@router.post("/verify", status_code=204, responses={**_NO, 400: {"model": ErrorAnswer}})
@limited(Limit.LOGINS)
async def verify(request: Request, body: EmailToken) -> None:
    """Prove an address by the token of a link: of a sign-up, or of a new address."""
    await use_cases(request).verify_email(body.token, device=device_of(request))


@router.post("/resend", status_code=202, responses=_NO)
@limited(Limit.SIGN_UPS)
async def resend(request: Request, body: EmailOnly) -> MailedAnswer:
    """Mail the link once more, if there is an address to prove. The answer is the same where there is none."""
    await use_cases(request).resend_verification(body.email)
    return MailedAnswer()


@router.post("/change", status_code=202, responses={**_NO, 400: {"model": ErrorAnswer}})
@limited(Limit.LOGINS)
async def change(request: Request, user: CurrentUser, body: NewEmail) -> MailedAnswer:
    """Ask for another address. It is changed once the link that is mailed there was followed."""
    wanted = EmailChange(user.id, body.new_email, body.password, body.code)
    await use_cases(request).change_email(wanted, device=device_of(request))
    return MailedAnswer()
