"""`/2fa` and `/password/verify`: setting up a second factor, logging in with it, and authenticating again."""

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Security
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from watchword.guard.dependencies import CurrentPrincipal, CurrentUser, PendingGuard
from watchword.http import responses
from watchword.http.account import Password, Text
from watchword.http.bodies import JsonAnswer, JsonRequest
from watchword.http.device import device_of
from watchword.http.responses import ErrorAnswer, JsonResponse, TokenAnswer
from watchword.http.route import JsonRoute, limited
from watchword.http.use_cases import use_cases
from watchword.identity.authenticate_client import ClientCredentials
from watchword.identity.issue import PendingPurpose
from watchword.identity.pending import Pending
from watchword.model import Limit, Principal

router = APIRouter(route_class=JsonRoute, tags=["auth"])

_LONGEST_CODE: Final = 64
_NO: Final[dict[int | str, dict[str, Any]]] = {status: {"model": ErrorAnswer} for status in (400, 401, 409, 422, 503)}

Code = Annotated[
    Text,
    Field(max_length=_LONGEST_CODE, description="Six digits, or a recovery code.", json_schema_extra={"format": "otp"}),
]


class SetUp(JsonRequest):
    """The password; and where a second factor is in force already, a code of it."""

    password: Password
    code: Code | None = None


class CodeBody(JsonRequest):
    """A code."""

    code: Code


class PasswordAndCode(JsonRequest):
    """The password and a code."""

    password: Password
    code: Code


class SetUpAnswer(JsonAnswer):
    """What an authenticator app is given.

    Attributes:
        secret: To be typed, where no QR code can be read.
        qr_svg: An `<svg>` element.
    """

    provisioning_uri: str
    secret: str
    qr_svg: str


class RecoveryCodesAnswer(JsonAnswer):
    """Ten codes for the day the phone is gone, shown this once; each is good for one login."""

    recovery_codes: list[str]


class ConfirmAnswer(RecoveryCodesAnswer):
    """The recovery codes; and where a login had to wait for this, its tokens."""

    access_token: str | None = None
    token_type: str | None = None
    expires_in: int | None = None
    refresh_token: str | None = None
    scope: str | None = None


def _user_id(caller: Pending | Principal) -> UUID:
    user_id = caller.account.id if isinstance(caller, Pending) else caller.user_id
    assert user_id is not None, "the guard admits users alone"
    return user_id


@router.post("/2fa/setup", responses=_NO)
@limited(Limit.LOGINS)
async def set_up(
    request: Request, caller: Annotated[Pending | Principal, Security(PendingGuard(PendingPurpose.SETUP))], body: SetUp
) -> SetUpAnswer:
    """Set up an authenticator app, or another in its place: the one in force stays so until a code is confirmed."""
    made = await use_cases(request).enrol_totp.set_up(
        _user_id(caller), body.password, body.code, device=device_of(request)
    )
    return SetUpAnswer(provisioning_uri=made.provisioning_uri, secret=made.secret, qr_svg=made.qr_svg)


@router.post("/2fa/confirm", response_model=ConfirmAnswer, responses=_NO)
@limited(Limit.LOGINS)
async def confirm(
    request: Request,
    caller: Annotated[Pending | Principal, Security(PendingGuard(PendingPurpose.CONFIRM))],
    body: CodeBody,
) -> Response:
    """Put it in force, by a code of the app. Store the recovery codes: they are shown this once."""
    use, device = use_cases(request), device_of(request)
    if isinstance(caller, Pending):
        first_party = await use.authenticate_client(ClientCredentials())
        enrolled = await use.enrol_totp.confirm_for_login(caller, first_party, body.code, device=device)
    else:
        enrolled = await use.enrol_totp.confirm_for_session(
            _user_id(caller), caller.session_id, body.code, device=device
        )
    codes = list(enrolled.recovery_codes)
    if enrolled.issued is None:
        return JsonResponse({"recovery_codes": codes})
    return responses.tokens(enrolled.issued, recovery_codes=codes)


@router.post("/2fa/verify", response_model=TokenAnswer, responses=_NO)
@limited(Limit.LOGINS)
async def verify(
    request: Request,
    caller: Annotated[Pending | Principal, Security(PendingGuard(PendingPurpose.VERIFY))],
    body: CodeBody,
) -> Response:
    """Complete a login that waits for its second factor; with an access token, step its session up."""
    use, device = use_cases(request), device_of(request)
    if isinstance(caller, Pending):
        first_party = await use.authenticate_client(ClientCredentials())
        return responses.tokens(await use.verify_second_factor(caller, first_party, body.code, device=device))
    return responses.tokens(await use.step_up.by_code(caller, body.code, device=device))


@router.post("/2fa/disable", status_code=204, responses=_NO)
@limited(Limit.LOGINS)
async def disable(request: Request, user: CurrentUser, body: PasswordAndCode) -> None:
    """Remove one's second factor. Sessions go on."""
    await use_cases(request).manage_second_factor.disable(user.id, body.password, body.code, device=device_of(request))


@router.post("/2fa/recovery-codes", responses=_NO)
@limited(Limit.LOGINS)
async def renew_recovery_codes(request: Request, user: CurrentUser, body: PasswordAndCode) -> RecoveryCodesAnswer:
    """Make ten new recovery codes, shown this once. The old ones are void."""
    codes = await use_cases(request).manage_second_factor.renew_recovery_codes(
        user.id, body.password, body.code, device=device_of(request)
    )
    return RecoveryCodesAnswer(recovery_codes=list(codes))


@router.post("/password/verify", response_model=TokenAnswer, responses=_NO)
@limited(Limit.LOGINS)
async def verify_password(request: Request, _user: CurrentUser, principal: CurrentPrincipal, body: SetUp) -> Response:
    """Authenticate again within a session, for what asks for a recent login: a new access token, the same session."""
    issued = await use_cases(request).step_up.by_password(
        principal, body.password, body.code, device=device_of(request)
    )
    return responses.tokens(issued)
