"""Every error of Watchword.

```
WatchwordError
├── ConfigurationError          the operator has to change something; the message says what
├── NotRunning                  Watchword was used before its lifespan started, or after it ended
├── ProfileMismatch             a stored profile does not fit the host's model any more
└── Refusal                     a request is answered with a no
    ├── InvalidRequest          400  RFC 6749 §5.2 from here …
    ├── RequestTooLarge         413
    ├── InvalidClient           401
    ├── InvalidGrant            400
    ├── UnauthorizedClient      400
    ├── UnsupportedGrantType    400
    ├── InvalidScope            400  … to here
    ├── InvalidTarget           400  RFC 8707 §2
    ├── UnsafeAuthorizationRequest  400  it is shown to the user: there is nowhere to send them back to
    ├── AuthorizationRefused    400  told to the client, by a redirect: RFC 6749 §4.1.2.1 from here …
    │   ├── UnsupportedResponseType
    │   ├── AccessDenied
    │   ├── LoginRequired            OpenID Connect Core §3.1.2.6 from here …
    │   ├── ConsentRequired
    │   ├── InteractionRequired
    │   ├── RequestNotSupported
    │   └── RequestUriNotSupported   … to here
    ├── HttpsRequired           400
    ├── ForgedForm              403
    ├── NotLoggedIn             401
    ├── InvalidToken            401  RFC 6750 §3.1 from here …
    ├── MalformedCredential     400
    ├── InsufficientScope       403  … to here
    ├── LoginTooOld             401  RFC 9470 §3
    ├── SecondFactorNeeded      401  RFC 9470 §3
    ├── InvalidInput            422
    ├── WeakPassword            422
    ├── WrongPassword           400
    ├── InvalidLink             400
    ├── EmailTaken              409
    ├── TooManyApiKeys          409
    ├── NoSecondFactor          409
    ├── SecondFactorRequired    409
    ├── StillReferenced         409
    ├── NotFound                404
    ├── TooManyRequests         429
    │   └── TooManyAttempts
    └── Unavailable             503
        ├── HashingBusy
        └── StorageDown
```

A refusal has two texts: `text`, fixed and public, and `detail`, private, which only the log gets.
"""

from typing import ClassVar


class WatchwordError(Exception):
    """The base of every error raised on purpose by Watchword."""


class ConfigurationError(WatchwordError, SystemExit):
    """A setting, the database schema or a secret keeps Watchword from starting.

    The message is one line for the operator and says what to set or run. It is a `SystemExit` too: where nobody
    catches it, Python prints that line, and no traceback, and the process ends with status 1.
    """

    def __init__(self, message: str) -> None:
        SystemExit.__init__(self, f"watchword: {message}")


class NotRunning(WatchwordError, RuntimeError):
    """Watchword was called before its lifespan started, or after it ended."""


class ProfileMismatch(WatchwordError):
    """A stored profile does not fit the host's model; the message says which fields, and never what is in them."""


class Refusal(WatchwordError):
    """A request that is answered with a no.

    Args:
        detail: What really happened, for the log alone. Never a secret.
        text: Replaces the class's public text. Never says more than the caller may know.
    """

    status: ClassVar[int] = 400
    code: ClassVar[str] = "refused"
    text: str = "Refused"

    def __init__(self, detail: str = "", *, text: str | None = None) -> None:
        self.text = text or type(self).text
        self.detail = detail
        super().__init__(detail or self.text)


class InvalidRequest(Refusal):
    """A parameter is missing, repeated or malformed (RFC 6749 §5.2)."""

    code = "invalid_request"
    text = "The request is malformed"


class RequestTooLarge(InvalidRequest):
    """The body is longer than anything that could be meant."""

    status = 413
    text = "The request is too large"


class InvalidClient(Refusal):
    """Client authentication failed (RFC 6749 §5.2)."""

    status = 401
    code = "invalid_client"
    text = "Client authentication failed"


class InvalidGrant(Refusal):
    """The credential that was presented gives no token (RFC 6749 §5.2)."""

    code = "invalid_grant"
    text = "Incorrect email or password"


class UnauthorizedClient(Refusal):
    """The client may not use this grant (RFC 6749 §5.2)."""

    code = "unauthorized_client"
    text = "This client may not use this grant"


class UnsupportedGrantType(Refusal):
    """No such grant here (RFC 6749 §5.2)."""

    code = "unsupported_grant_type"
    text = "This grant type is not supported"


class InvalidScope(Refusal):
    """A scope is unknown, malformed or more than may be granted (RFC 6749 §5.2)."""

    code = "invalid_scope"
    text = "The requested scope is invalid, unknown or more than may be granted"


class InvalidTarget(Refusal):
    """The resource that a token was asked for is none that the client may ask one for (RFC 8707 §2)."""

    code = "invalid_target"
    text = "The requested resource is unknown, or not for this client"


class UnsafeAuthorizationRequest(Refusal):
    """An authorization request by nobody we know, or to an address that is not theirs: no redirect is safe."""

    code = "invalid_request"
    text = "The app that sent you here made a mistake, so there is no safe way back to it"


class AuthorizationRefused(Refusal):
    """A no that the client is told by way of the browser (RFC 6749 §4.1.2.1)."""


class UnsupportedResponseType(AuthorizationRefused):
    """Something else than a code was asked for."""

    code = "unsupported_response_type"
    text = "The response type must be code"


class AccessDenied(AuthorizationRefused):
    """The user said no."""

    code = "access_denied"
    text = "The user did not allow it"


class LoginRequired(AuthorizationRefused):
    """Nobody, or somebody else, is logged in, and no page may be shown."""

    code = "login_required"
    text = "The user must log in"


class ConsentRequired(AuthorizationRefused):
    """The user was not asked yet, and no page may be shown."""

    code = "consent_required"
    text = "The user must be asked"


class InteractionRequired(AuthorizationRefused):
    """The user must give a second factor, and no page may be shown."""

    code = "interaction_required"
    text = "The user must authenticate with a second factor"


class UnmetAuthenticationRequirements(AuthorizationRefused):
    """The client takes nothing but what the user cannot do (OpenID Connect Core §5.5.1.1)."""

    code = "unmet_authentication_requirements"
    text = "The user cannot authenticate as the client needs it"


class RequestNotSupported(AuthorizationRefused):
    """The request came as a JWT (OpenID Connect Core §6.1)."""

    code = "request_not_supported"
    text = "Request objects are not supported"


class RequestUriNotSupported(AuthorizationRefused):
    """The request is to be fetched from elsewhere (OpenID Connect Core §6.2)."""

    code = "request_uri_not_supported"
    text = "Request objects are not supported"


class HttpsRequired(Refusal):
    """Credentials came over plain HTTP in production."""

    code = "https_required"
    text = "Credentials are only accepted over https"


class InvalidToken(Refusal):
    """The access token is not one of ours, expired, revoked or for somebody else (RFC 6750 §3.1)."""

    status = 401
    code = "invalid_token"
    text = "The access token is invalid or has expired"


class MalformedCredential(Refusal):
    """The credential came twice, or in no form that RFC 6750 §2 knows."""

    code = "invalid_request"
    text = "The access token must come once, in one Authorization header"


class InsufficientScope(Refusal):
    """The token is good, but not for this (RFC 6750 §3.1)."""

    status = 403
    code = "insufficient_scope"
    text = "This needs a permission that the access token does not carry"


class LoginTooOld(Refusal):
    """The login is older than this endpoint accepts (RFC 9470 §3).

    Args:
        detail: For the log.
        max_age: The oldest that it takes, in seconds.
    """

    status = 401
    code = "insufficient_user_authentication"
    text = "Log in again to do this"

    def __init__(self, detail: str, *, max_age: int) -> None:
        self.max_age = max_age
        super().__init__(detail)


class SecondFactorNeeded(Refusal):
    """The login is good, but was not, or not lately enough, by two factors (RFC 9470 §3).

    Args:
        detail: For the log.
        max_age: The oldest that is taken, in seconds; zero where any age will do.
    """

    status = 401
    code = "insufficient_user_authentication"
    text = "A second factor is needed to do this"

    def __init__(self, detail: str, *, max_age: int = 0) -> None:
        self.max_age = max_age
        super().__init__(detail)


class ForgedForm(Refusal):
    """A form that a page of ours did not show to this browser, or to this login (CSRF)."""

    status = 403
    code = "forged_form"
    text = "This form is out of date: go back, reload the page and try again"


class NotLoggedIn(Refusal):
    """A page of ours is for who is logged in; the browser is sent to where that is done."""

    status = 401
    code = "not_logged_in"
    text = "Log in first"


class InvalidInput(Refusal):
    """A JSON body or a parameter does not fit its type."""

    status = 422
    code = "invalid_input"
    text = "The input is invalid"


class WeakPassword(Refusal):
    """The new password does not meet the policy; the text says which rule."""

    status = 422
    code = "weak_password"
    text = "This password is too weak"


class WrongPassword(Refusal):
    """The current password, asked for again, is not the right one."""

    code = "wrong_password"
    text = "The current password is not correct"


class InvalidLink(Refusal):
    """The one-time token is unknown, expired or used, or what it was made for has changed."""

    code = "invalid_link"
    text = "This link is invalid, has expired or was used before"


class EmailTaken(Refusal):
    """An account with this address, or one that only looks different, exists."""

    status = 409
    code = "email_taken"
    text = "An account with this email exists"


class TooManyApiKeys(Refusal):
    """The owner has as many API keys in force as one may have."""

    status = 409
    code = "too_many_api_keys"
    text = "There are too many API keys: revoke one first"


class NoSecondFactor(Refusal):
    """There is no second factor, or none that waits to be confirmed."""

    status = 409
    code = "no_second_factor"
    text = "There is no second factor: set one up first"


class SecondFactorRequired(Refusal):
    """The user must have a second factor, so it can be replaced and not removed."""

    status = 409
    code = "second_factor_required"
    text = "This account needs a second factor: set up another in its place"


class StillReferenced(Refusal):
    """The row cannot go, because a table of the host application refers to it."""

    status = 409
    code = "still_referenced"
    text = "The account cannot be deleted while other records depend on it"


class NotFound(Refusal):
    """There is no such thing, or it is not the caller's."""

    status = 404
    code = "not_found"
    text = "Not found"


class TooManyRequests(Refusal):
    """Too many requests came from one network; worth a retry after `retry_after` seconds.

    Args:
        retry_after: In seconds, a whole number.
        detail: For the log alone.
    """

    status = 429  # RFC 6585 §4
    code = "too_many_requests"
    text = "Too many requests, try again later"

    def __init__(self, retry_after: int, detail: str = "") -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class TooManyAttempts(TooManyRequests):
    """A secret of one account was guessed at too often; no guess is heard before `retry_after` seconds have passed."""

    code = "too_many_attempts"
    text = "Too many failed attempts, try again later"


class Unavailable(Refusal):
    """Something that is needed does not answer now; worth a retry after `retry_after` seconds."""

    status = 503
    code = "temporarily_unavailable"
    text = "The service is temporarily unavailable"
    retry_after: ClassVar[int] = 1


class HashingBusy(Unavailable):
    """The queue of the hashing pool is full."""

    text = "Too many logins at once, try again shortly"


class StorageDown(Unavailable):
    """The database does not answer, or has no connection free in time."""

    def at_startup(self) -> ConfigurationError:
        """What to tell an operator who starts something that needs the database."""
        return ConfigurationError(f"the database does not answer ({self.detail}): check WATCHWORD_DATABASE_URL")
