"""The words of Watchword as types: frozen values without I/O."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, Final, Generic
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError
from typing_extensions import TypeVar

from watchword.errors import ProfileMismatch

FIRST_PARTY: Final = "first-party"
"""The built-in client: the host application itself. Public, and the only one with the password grant."""

API_KEY_PREFIX: Final = "wwk_"
"""What every API key begins with, for secret scanners and for us."""

ONE_TIME_PREFIX: Final = "wwo_"
"""What every token in a mailed link begins with."""

CODE_PREFIX: Final = "wwa_"
"""What every authorization code begins with."""

ADMIN_SCOPE: Final = "admin"
OPENID: Final = "openid"
"""Asks for an ID token (OpenID Connect Core §3.1.2.1)."""
OFFLINE_ACCESS: Final = "offline_access"
"""Asks for a refresh token that outlives the login in the browser (OpenID Connect Core §11)."""
EVERY_SCOPE: Final = "*"
"""In a role: all that the app declares."""
AMR_PASSWORD: Final = ("pwd",)
"""A login by password (RFC 8176 §2)."""
AMR_SECOND_FACTOR: Final = ("otp", "mfa")
"""What a second factor adds."""
ACR_SECOND_FACTOR: Final = "mfa"
"""The `acr` of a login with a second factor, and what a guard that asks for one names in `acr_values` (RFC 9470)."""
RESERVED_SCOPES: Final = frozenset({ADMIN_SCOPE, "2fa", OPENID, "profile", "email", "address", "phone", OFFLINE_ACCESS})
"""Scopes with a meaning of their own: `admin`, `2fa` and those of OpenID Connect Core §5.4 and §11."""


class Profile(BaseModel):
    """What a user tells about themselves; a host passes its own model as `Watchword(profile=…)`.

    Users edit their profile. What they must not edit belongs in a table of the host that refers to the user.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)


P = TypeVar("P", bound=BaseModel, default=Profile)

_FIRST_WAIT: Final = timedelta(seconds=30)

Owner = UUID | str
"""Whose an API key is: a user's id, or a client's."""


@dataclass(frozen=True, slots=True)
class User(Generic[P]):
    """A person with an account here.

    Attributes:
        id: UUID version 7; the `sub` of their tokens.
        email: As the user wrote it, in normal form.
        is_active: False once an operator disabled the account.
        profile: The host's own fields.
        email_verified_at: When the address was proved, UTC; None if it never was.
        created_at: When the account was made, UTC.
        last_login_at: The last login with a password, UTC.
        roles: The names of their roles.
        second_factor: Whether a second factor is in force.
    """

    id: UUID
    email: str
    is_active: bool
    profile: P
    email_verified_at: datetime | None
    created_at: datetime
    last_login_at: datetime | None
    roles: frozenset[str] = frozenset()
    second_factor: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """A row of the user table, secrets included. It stays inside; a `User` is what others see.

    Attributes:
        password_hash: PHC or modular crypt string; None for an account that cannot log in with a password, and where a
            token was verified, which needs none.
        token_epoch: Counter carried by tokens; raising it ends every token issued before.
        roles: The names of the user's roles.
        role_scopes: What these allow; `*` among them stands for all that the app declares.
        second_factor_since: When the second factor in force was confirmed, UTC; None if there is none.
    """

    id: UUID
    email: str
    is_active: bool
    profile: Mapping[str, Any]
    email_verified_at: datetime | None
    created_at: datetime
    last_login_at: datetime | None
    token_epoch: int
    password_hash: str | None = field(repr=False)
    roles: frozenset[str] = frozenset()
    role_scopes: frozenset[str] = frozenset()
    second_factor_since: datetime | None = None

    @property
    def second_factor(self) -> bool:
        """Whether a second factor is in force."""
        return self.second_factor_since is not None

    def user(self, profile: type[P]) -> User[P]:
        """The public side, its profile read by the host's model.

        Raises:
            ProfileMismatch: The stored profile does not fit: a field the host added has no default.
        """
        try:
            fields = profile.model_validate(copy.deepcopy(self.profile))  # pydantic keeps the inner values as they are
        except ValidationError as error:
            names = ", ".join(sorted({str(problem["loc"][0]) for problem in error.errors() if problem["loc"]}))
            raise ProfileMismatch(
                f"the stored profile of user {self.id} does not fit {profile.__name__} ({names}): "
                "give every field that was added a default"
            ) from None
        return User(
            id=self.id,
            email=self.email,
            is_active=self.is_active,
            profile=fields,
            email_verified_at=self.email_verified_at,
            created_at=self.created_at,
            last_login_at=self.last_login_at,
            roles=self.roles,
            second_factor=self.second_factor,
        )


@dataclass(frozen=True, slots=True)
class Role:
    """A named set of scopes.

    Attributes:
        name: What people say: `editor`.
        description: For people.
        scopes: What it allows; `*` among them stands for all that the app declares, now and later.
    """

    name: str
    description: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class NewHash:
    """A password hash to store, and its scheme: what it cost, without salt and digest."""

    encoded: str = field(repr=False)
    scheme: str


class ClientAuthMethod(StrEnum):
    """How a client authenticates at our endpoints (RFC 7591 §2, `token_endpoint_auth_method`)."""

    BASIC = "client_secret_basic"
    POST = "client_secret_post"
    PRIVATE_KEY_JWT = "private_key_jwt"
    NONE = "none"

    @property
    def has_secret(self) -> bool:
        """Whether it takes a client secret."""
        return self in {ClientAuthMethod.BASIC, ClientAuthMethod.POST}


@dataclass(frozen=True, slots=True)
class Client:
    """A registered OAuth client.

    Attributes:
        id: The `client_id` of RFC 6749 §2.2.
        grants: The grant types it may use.
        is_public: Whether it has no secret, so that its name proves nothing (RFC 6749 §2.1).
        name: What people call it.
        scopes: What its tokens may carry at most.
        redirect_uris: Where authorization codes may be sent.
        auth_method: How it authenticates; it may use no other way.
        jwks: Its public keys (RFC 7517 §5), with `private_key_jwt`.
        access_token_lifetime: Where it differs from the setting.
        refresh_idle_lifetime: Where it differs from the setting.
        is_first_party: Whether it is the host's own, which people are not asked to consent to.
        id_token_algorithm: What signs its ID tokens: `RS256`, or `ES256` (OpenID Connect Registration §2).
        post_logout_redirect_uris: Where a browser may be sent after a logout (RP-Initiated Logout §2).
        backchannel_logout_uri: Where it is told that a session has ended (Back-Channel Logout §2.2).
        resources: Other resources that it may ask access tokens for (RFC 8707).
        is_active: False once an operator disabled it; none of its tokens is good then.
        created_at: When it was registered, UTC; None for the first party, which always was there.
    """

    id: str
    grants: frozenset[str]
    is_public: bool
    name: str = ""
    scopes: frozenset[str] = frozenset()
    redirect_uris: frozenset[str] = frozenset()
    auth_method: ClientAuthMethod = ClientAuthMethod.NONE
    jwks: Mapping[str, Any] | None = field(default=None, repr=False)
    access_token_lifetime: timedelta | None = None
    refresh_idle_lifetime: timedelta | None = None
    is_first_party: bool = False
    id_token_algorithm: str = "RS256"  # noqa: S105 — a name
    post_logout_redirect_uris: frozenset[str] = frozenset()
    backchannel_logout_uri: str | None = None
    resources: frozenset[str] = frozenset()
    is_active: bool = True
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """What may be known of a client's secret: everything but the secret.

    Attributes:
        id: Names it, to remove it by.
        expires_at: When it ends, UTC; None if it is good until it is removed.
    """

    id: UUID
    client_id: str
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewClientSecret:
    """A secret that was just made. It is in this value and nowhere else: shown once, stored as a hash.

    Attributes:
        value: `wws_…`.
    """

    id: UUID
    client_id: str
    expires_at: datetime | None
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Device:
    """Where a request came from, as far as it tells. For people to recognise, and to tell strangers' guesses apart.

    Attributes:
        user_agent: The User-Agent header, cut to 255 characters.
        address: The client's IP address; behind a proxy, what the server's trusted-proxy setting made of it.
    """

    user_agent: str | None = None
    address: str | None = None

    @property
    def network(self) -> str | None:
        """What one customer of a provider has: an IPv4 address, or the first 64 bits of one of IPv6."""
        try:
            address = ip_address(self.address or "")
        except ValueError:  # a test's client, or a server behind a Unix socket
            return self.address
        if isinstance(address, IPv4Address):
            return str(address)
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(IPv6Address(int(address) >> 64 << 64))


class Limit(StrEnum):
    """What is limited for each network."""

    LOGINS = "logins"
    """What takes a password, a code or a token that was mailed."""
    REFRESHES = "refreshes"
    SIGN_UPS = "sign_ups"
    """What makes an account or sends mail."""
    FAILURES = "failures"
    """Clients that do not authenticate, and API keys that there are not: only what fails is counted."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests in so many seconds."""

    number: int
    seconds: int


class AttemptKind(StrEnum):
    """What is guessed at: failures of each are counted apart."""

    PASSWORD = "password"  # noqa: S105 — a word
    CURRENT_PASSWORD = "current_password"  # noqa: S105 — a word
    TOTP = "totp"
    RECOVERY = "recovery"


@dataclass(frozen=True, slots=True)
class AttemptPolicy:
    """How many failures in a row are free, and how long each further try has to wait: twice as long each time.

    Attributes:
        limit: The failure that is the first to block.
        longest: What no wait is longer than.
    """

    limit: int
    longest: timedelta

    def wait(self, failures: int) -> timedelta:
        """How long nothing is heard after so many failures in a row."""
        if failures < self.limit:
            return timedelta(0)
        # Doubled thirty times it is longer than any wait may be.
        return min(self.longest, _FIRST_WAIT * (1 << min(failures - self.limit, 30)))

    def waits(self) -> Sequence[tuple[int, timedelta]]:
        """The failures at which the wait grows, and to what."""
        steps = [(self.limit, self.wait(self.limit))]
        while steps[-1][1] < self.longest:
            failures = steps[-1][0] + 1
            steps.append((failures, self.wait(failures)))
        return steps


@dataclass(frozen=True, slots=True)
class Session:
    """One login on one device. It owns one chain of refresh tokens; ending it ends every token it issued.

    Attributes:
        id: The `sid` of its access tokens. Its refresh tokens carry another, secret value.
        scopes: What the login was granted; a refresh may ask for less, never for more.
        amr: How the user authenticated (RFC 8176).
        auth_time: When, UTC. A refresh does not change it.
        epoch: The user's `token_epoch` at the login.
        device: Where it was last used from.
        last_used_at: The login or the last refresh, UTC.
        ends_at: When it ends unless it is refreshed before, UTC.
        browser_session_id: The login at our pages that it came from, and ends with unless it may work offline.
        audience: The resource that its access tokens are for (RFC 8707); None for this installation.
    """

    id: UUID
    user_id: UUID
    client_id: str
    scopes: frozenset[str]
    amr: tuple[str, ...]
    auth_time: datetime
    epoch: int
    device: Device
    created_at: datetime
    last_used_at: datetime
    ends_at: datetime
    browser_session_id: UUID | None = None
    audience: str | None = None


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """A login at our own pages, kept by a cookie. No guard accepts it: it only opens the sessions of clients.

    Attributes:
        amr: How the user authenticated (RFC 8176).
        auth_time: When, UTC.
        epoch: The user's `token_epoch` then.
        device: Where the login came from.
        last_used_at: To the hour, UTC.
        ends_at: When it ends unless it is used before, UTC.
    """

    id: UUID
    user_id: UUID
    epoch: int
    amr: tuple[str, ...]
    auth_time: datetime
    device: Device
    created_at: datetime
    last_used_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class ConsentQuestion:
    """What a user is asked before a client gets anything.

    Attributes:
        client: Who would get it.
        scopes: What it would be allowed: name → description.
        redirect_host: Where the browser would be sent; the scheme, for an app on the user's machine.
    """

    client: Client
    scopes: Mapping[str, str]
    redirect_host: str


@dataclass(frozen=True, slots=True)
class Consent:
    """What a user allowed a client.

    Attributes:
        client_name: What people call it.
        created_at: When they first did, UTC.
        updated_at: When they last did, UTC.
    """

    client_id: str
    client_name: str
    scopes: frozenset[str]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A long-lived credential of a user or a client, for programs. What is presented is not in here: it is shown once.

    Attributes:
        hint: Its beginning and end, to tell it from others: `wwk_…Ab3d`.
        name: What its owner calls it.
        user_id: Whose it is; None where it is a client's.
        client_id: Whose it is; None where it is a user's.
        scopes: What it may do at most: what its owner may not do any more, it may not do either.
        expires_at: When it ends unless it is revoked before, UTC.
        last_used_at: When it was last let in, UTC, some two minutes late; None if it never was.
    """

    id: UUID
    hint: str
    name: str
    user_id: UUID | None
    client_id: str | None
    scopes: frozenset[str]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None

    @property
    def owner(self) -> Owner:
        """The id of the user or the client whose it is."""
        return self.user_id or self.client_id or ""


@dataclass(frozen=True, slots=True)
class CreatedApiKey:
    """A new API key.

    Attributes:
        secret: What to send as bearer. It is stored nowhere, and cannot be shown again.
    """

    key: ApiKey
    secret: str = field(repr=False)


class TokenPurpose(StrEnum):
    """What a one-time token is good for."""

    SIGN_UP = "sign_up"
    VERIFY_EMAIL = "verify_email"
    CHANGE_EMAIL = "change_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105 — the name of a purpose


@dataclass(frozen=True, slots=True)
class OneTimeToken:
    """What is known of the token in a link.

    Attributes:
        user_id: Whose; None for a sign-up, which has no user yet.
        email: The canonical address that it proves.
        payload: What it was made for: the sign-up, or the state of the account that it belongs to.
    """

    id: UUID
    purpose: TokenPurpose
    user_id: UUID | None
    email: str
    payload: Mapping[str, Any] = field(repr=False)
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """Mail, or a notice to a client, that was not sent yet, as an operator sees it. What mail says is sealed.

    Attributes:
        kind: The name of its template; `logout_notice` for a notice.
        attempts: How often it was tried.
        next_attempt_at: When it is tried again, UTC; None once it was given up.
        last_error: Why the last attempt failed.
    """

    id: UUID
    kind: str
    attempts: int
    next_attempt_at: datetime | None
    last_error: str | None
    created_at: datetime


class KeyStatus(StrEnum):
    """Where a signing key is in its life; it is published (RFC 7517) through all of it."""

    NEXT = "next"
    ACTIVE = "active"
    RETIRING = "retiring"


class RevocationKind(StrEnum):
    """What a revocation is about."""

    USER = "user"
    SESSION = "session"
    TOKEN = "jti"  # noqa: S105 — the name of a claim (RFC 7519 §4.1.7)
    ROLE = "role"
    CLIENT = "client"
    API_KEY = "key"
    EVERYTHING = "everything"


@dataclass(frozen=True, slots=True)
class Revocation:
    """Word that what was remembered of a user, a session or a token holds no longer.

    Attributes:
        subject: The user's id, the session's, the API key's, the `jti`, the client's id or the role's name; empty for
            everything.
        epoch: For a user: tokens of a lower epoch are revoked. It has not changed where only the account has.
    """

    kind: RevocationKind
    subject: str
    epoch: int | None = None

    @property
    def key(self) -> str:
        """One text for what it is about."""
        return f"{self.kind}:{self.subject}"


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """Something that happened.

    Attributes:
        id: UUID version 7.
        name: Such as `user_disabled`.
        at: When, UTC.
        actor: The `sub` of the administrator who did it, if one did.
        user_id: Whom it is about, if anybody.
        fields: What else is known.
    """

    id: UUID
    name: str
    at: datetime
    actor: str | None
    user_id: UUID | None
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a request speaks for, once its credential was verified.

    Attributes:
        subject: The `sub` of the token: the user's id, or the client's where it acts for itself.
        user_id: The user, or None where a client acts for itself.
        client_id: The client that the credential was issued to.
        session_id: The session (`sid`) it belongs to; None for an API key, and where a client acts for itself.
        scopes: What it may do.
        amr: How the user authenticated (RFC 8176), such as `("pwd",)`.
        auth_time: When the user last authenticated, UTC; None where no user did.
        expires_at: When the credential ends, UTC, unless it is revoked before.
    """

    subject: str
    user_id: UUID | None
    client_id: str
    session_id: UUID | None
    scopes: frozenset[str]
    amr: tuple[str, ...]
    auth_time: datetime | None
    expires_at: datetime

    async def ended(self) -> None:
        """Return when the credential expires or is revoked, for a socket that may outlive it.

        ```python
        async with asyncio.TaskGroup() as tasks:
            talking = tasks.create_task(talk(websocket))
            await principal.ended()
            talking.cancel()
        ```
        """
        raise RuntimeError("this principal came from no guard: only a guard can tell when it ends")

    @property
    def is_first_party_user(self) -> bool:
        """True for a user who logged in to the host application itself; an API key of theirs is no login."""
        return self.user_id is not None and self.client_id == FIRST_PARTY and self.session_id is not None


@dataclass(frozen=True, slots=True)
class IssuedTokens:
    """What a grant answers (RFC 6749 §5.1).

    Attributes:
        access_token: A JWT (RFC 9068).
        refresh_token: Good for one refresh; None where the client authenticates for itself each time, and where a
            session that has one was stepped up.
        expires_in: The access token's life in whole seconds.
        scopes: What was granted, which may be less than what was asked for.
        id_token: A JWT (OpenID Connect Core §2), where the session may know who its user is.
    """

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_in: int
    scopes: frozenset[str]
    id_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class IdTokenRequest:
    """What an ID token needs to know beside its session (OpenID Connect Core §2).

    Attributes:
        client: Whom it is for.
        nonce: What the client sent along; None at a refresh.
        claims: Those that were asked for by name, to be in the ID token (§5.5). A name alone allows nothing: what is
            told of the user goes by the scopes.
    """

    client: Client
    nonce: str | None = field(default=None, repr=False)
    claims: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class PendingLogin:
    """What a right password gives where a second factor is still to come: a token that no guard lets in.

    Attributes:
        access_token: A JWT, `typ: mfa+jwt`; OAuth's name for where a client looks for it.
        expires_in: Its life in whole seconds.
        must_enrol: Whether the user has no factor yet and must set one up, which is all that the token is good for.
    """

    access_token: str = field(repr=False)
    expires_in: int
    must_enrol: bool
