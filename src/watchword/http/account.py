"""`/users` and `/me`: making an account, and the caller's own."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Body
from pydantic import AfterValidator, Field
from starlette.requests import Request

from watchword.events import By
from watchword.flows.change_password import PasswordChange
from watchword.flows.register import Registration
from watchword.guard.dependencies import CurrentUser, requires_recent_full_login
from watchword.http.bodies import JsonRequest
from watchword.http.device import device_of
from watchword.http.export import ExportAnswer
from watchword.http.responses import ErrorAnswer, UserAnswer
from watchword.http.route import JsonRoute, limited
from watchword.http.use_cases import use_cases
from watchword.identity.profiles import is_storable
from watchword.model import Limit

sign_up = APIRouter(route_class=JsonRoute, tags=["auth"])
router = APIRouter(route_class=JsonRoute, tags=["auth"])


def _storable(text: str) -> str:
    if not is_storable(text):
        raise ValueError("has characters that are no text")
    return text


Text = Annotated[str, AfterValidator(_storable)]
Password = Annotated[Text, Field(json_schema_extra={"format": "password"})]
ProfileFields = Annotated[dict[str, Any], Field(title="Profile")]

_NO: Final[dict[int | str, dict[str, Any]]] = {status: {"model": ErrorAnswer} for status in (422, 503)}
_TOO_MANY: Final[dict[int | str, dict[str, Any]]] = {429: {"model": ErrorAnswer}}


class SignUp(JsonRequest):
    """Who wants an account."""

    email: Text
    password: Password
    profile: ProfileFields = Field(default_factory=dict)


class ProfileChange(JsonRequest):
    """Fields to change; a null takes one back to its default."""

    profile: ProfileFields


class NewPassword(JsonRequest):
    """The current password and the new one."""

    current_password: Password
    new_password: Password


@sign_up.post("/users", status_code=201, responses={**_NO, **_TOO_MANY, 409: {"model": ErrorAnswer}})
@limited(Limit.SIGN_UPS)
async def register(request: Request, body: SignUp) -> UserAnswer:
    """Sign up."""
    registration = Registration(body.email, body.password, body.profile)
    account = await use_cases(request).register(registration, device=device_of(request))
    return UserAnswer.of(account)


@router.get("/me")
async def read_me(user: CurrentUser) -> UserAnswer:
    """The caller's own account."""
    return UserAnswer.of_user(user)


@router.patch("/me", responses=_NO)
async def update_me(request: Request, user: CurrentUser, body: Annotated[ProfileChange, Body()]) -> UserAnswer:
    """Change one's profile."""
    return UserAnswer.of(await use_cases(request).update_profile(user.id, body.profile))


@router.get("/me/export", dependencies=[requires_recent_full_login(minutes=5)], responses={503: {"model": ErrorAnswer}})
async def export_me(request: Request, user: CurrentUser) -> ExportAnswer:
    """All that is held about one. The login must not be older than five minutes, nor lack one's second factor."""
    return ExportAnswer.of(await use_cases(request).export_account(user.id))


@router.delete(
    "/me",
    status_code=204,
    dependencies=[requires_recent_full_login(minutes=5)],
    responses={409: {"model": ErrorAnswer}, 503: {"model": ErrorAnswer}},
)
async def delete_me(request: Request, user: CurrentUser) -> None:
    """Delete one's account. The login must not be older than five minutes, nor lack one's second factor."""
    await use_cases(request).delete_user(user.id, by=By(device=device_of(request)))


@router.post("/password/change", status_code=204, responses={**_NO, **_TOO_MANY, 400: {"model": ErrorAnswer}})
@limited(Limit.LOGINS)
async def change_password(request: Request, user: CurrentUser, body: NewPassword) -> None:
    """Change one's password. Every token issued before ends, this one included, and so does every API key."""
    change = PasswordChange(user.id, body.current_password, body.new_password)
    await use_cases(request).change_password(change, device=device_of(request))
