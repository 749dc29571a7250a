"""`/password/forgot` and `/password/reset`: a new password by a link."""

from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request

from watchword.events import By
from watchword.flows.reset_password import PasswordResetRequest
from watchword.guard.dependencies import CurrentAdmin
from watchword.http.account import Password
from watchword.http.device import device_of
from watchword.http.email import EmailOnly, EmailToken
from watchword.http.responses import ErrorAnswer, MailedAnswer
from watchword.http.route import JsonRoute, limited
from watchword.http.use_cases import use_cases
from watchword.model import Limit

router = APIRouter(route_class=JsonRoute, tags=["auth"])
by_mail = APIRouter(route_class=JsonRoute, tags=["auth"])

_NO: Final[dict[int | str, dict[str, Any]]] = {status: {"model": ErrorAnswer} for status in (422, 429, 503)}


class ResetPassword(EmailToken):
    """The token of a link, and the new password."""

    new_password: Password


@by_mail.post("/password/forgot", status_code=202, responses=_NO)
@limited(Limit.SIGN_UPS)
async def forgot(request: Request, body: EmailOnly) -> MailedAnswer:
    """Mail a link that sets a new password. The answer is the same where nobody has the address."""
    await use_cases(request).request_password_reset.by_email(body.email, by=By(device=device_of(request)))
    return MailedAnswer()


@router.post("/password/reset", status_code=204, responses={**_NO, 400: {"model": ErrorAnswer}})
@limited(Limit.LOGINS)
async def reset(request: Request, body: ResetPassword) -> None:
    """Set a new password by the token of a link. Every session, token and API key ends; it logs nobody in."""
    wanted = PasswordResetRequest(body.token, body.new_password)
    await use_cases(request).reset_password(wanted, device=device_of(request))


@by_mail.post(
    "/admin/users/{user_id}/reset", status_code=202, tags=["admin"], responses={**_NO, 404: {"model": ErrorAnswer}}
)
async def reset_by_admin(request: Request, admin: CurrentAdmin, user_id: UUID) -> MailedAnswer:
    """Mail a user a link that sets a new password."""
    by = By(actor=admin.subject, device=device_of(request))
    await use_cases(request).request_password_reset.by_mail(user_id, by=by)
    return MailedAnswer()
