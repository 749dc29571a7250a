"""What happened, as typed values, and who wants to know.

```
Event
├── UserRegistered
├── UserDisabled
├── UserEnabled
├── UserDeleted
├── PasswordChanged
├── PasswordResetRequested
├── PasswordReset
├── EmailVerified
├── EmailChangeRequested
├── EmailChanged
├── SecondFactorEnabled
├── SecondFactorDisabled
├── SecondFactorRefused  a code was wrong, or used before
├── RecoveryCodesRenewed
├── RecoveryCodeUsed
├── LoggedIn
├── LoginRefused
├── LockedOut            a secret was guessed at too often: no guess is heard for a while
├── SessionRefreshed
├── RefreshRefused
├── SessionHealed        a failover had lost refreshes; the session goes on
├── SessionReused        a refresh token was used again: somebody has a copy; the session has ended
├── SessionEnded
├── LoggedOutEverywhere
├── TokenRevoked
├── ConsentGranted
├── ConsentRevoked
├── CodeRefused
├── CodeReused           an authorization code was used again: somebody has a copy; what it gave has ended
├── RoleChanged
├── RoleDeleted
├── RoleGiven
├── RoleTaken
├── ApiKeyCreated
├── ApiKeyRevoked
├── ClientCreated
├── ClientChanged
├── ClientDisabled
├── ClientEnabled
├── ClientDeleted
├── ClientSecretAdded
├── ClientSecretRemoved
├── ClientRefused        a client did not authenticate
├── ClientTokenIssued    a client got a token for itself
├── ClientTokenRevoked
├── MailSent
├── MailDelayed          it is tried again
├── MailFailed           it was given up
├── LogoutNoticeSent     a client was told that a session of its user has ended
├── LogoutNoticeDelayed  it is told again
└── LogoutNoticeFailed   it was given up
```

An event is emitted after the transaction that it speaks of was committed, and before the answer. It carries no secret.
"""

import dataclasses
import inspect
import logging
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar, Final, Self, TypeVar
from uuid import UUID

from watchword.model import ApiKey, Device, Session

_log: Final = logging.getLogger("watchword.events")
_CAPITAL: Final = re.compile(r"(?<!^)(?=[A-Z])")

LOG_FIELDS: Final = "watchword_fields"
"""The attribute of a log record that holds an event's fields, for formatters that write them one by one."""

NOWHERE: Final = Device()
"""Where what host code and the command line do comes from."""


@dataclass(frozen=True, slots=True)
class By:
    """On whose behalf a use case runs, for the events it emits.

    Attributes:
        actor: The `sub` of an administrator who acts for somebody else.
        device: Where the request came from.
    """

    actor: str | None = None
    device: Device = NOWHERE


OPERATOR: Final = By()
"""Host code and the command line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened; a handler for this class hears of everything.

    Attributes:
        at: When, UTC.
        device: Where the request came from.
        actor: The `sub` of the administrator who did it; None for the user themselves, host code and the command line.
    """

    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    device: Device = NOWHERE
    actor: str | None = None

    is_kept: ClassVar[bool] = True
    """Whether administrators can read it later. Not what anybody can cause without end, or does every few minutes."""

    @classmethod
    def name(cls) -> str:
        """The event in logs and metrics: `session_reused`."""
        return _CAPITAL.sub("_", cls.__name__).lower()

    def fields(self) -> dict[str, Any]:
        """What it carries, as plain JSON values; what is not known is left out."""
        members = {member.name: getattr(self, member.name) for member in dataclasses.fields(self)}
        device: Device = members.pop("device")
        members |= {"user_agent": device.user_agent, "address": device.address}
        return {name: _plain(value) for name, value in members.items() if value is not None}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds")
    return list(value) if isinstance(value, tuple) else str(value) if isinstance(value, UUID) else value


@dataclass(frozen=True, slots=True, kw_only=True)
class AboutUser(Event):
    """Something that happened to a user."""

    user_id: UUID


class UserRegistered(AboutUser):
    """An account was made."""


class UserDisabled(AboutUser):
    """An account was disabled; all its tokens ended."""


class UserEnabled(AboutUser):
    """A disabled account may log in again."""


class UserDeleted(AboutUser):
    """An account is gone."""


class PasswordChanged(AboutUser):
    """A user has a new password; all their tokens ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordResetRequested(Event):
    """Somebody asked for a link that sets a new password.

    Attributes:
        user_id: Whose; None where nobody has the address, which takes as long.
    """

    user_id: UUID | None


class PasswordReset(AboutUser):
    """A user has a new password, by a link; all their tokens ended."""


class EmailVerified(AboutUser):
    """An address was proved."""


class EmailChangeRequested(AboutUser):
    """A user asked for another address; it is changed once that one is proved."""


class EmailChanged(AboutUser):
    """A user has another address, which was proved."""


class LoggedOutEverywhere(AboutUser):
    """All sessions and tokens of a user ended."""


class SecondFactorEnabled(AboutUser):
    """A second factor is in force: the first, or another in its place."""


class SecondFactorDisabled(AboutUser):
    """A second factor was removed: by the user, or by an operator who reset it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactorRefused(AboutUser):
    """A code was wrong. At a login, the password was right.

    Attributes:
        reason: Why, for operators: the caller was told less.
    """

    is_kept = False

    reason: str


class RecoveryCodesRenewed(AboutUser):
    """A user has new recovery codes; the old ones are void."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryCodeUsed(AboutUser):
    """A recovery code was used in place of the authenticator app.

    Attributes:
        remaining: How many are left.
    """

    remaining: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _AboutSession(AboutUser):
    session_id: UUID
    client_id: str

    @classmethod
    def of(cls, session: Session, device: Device, **details: Any) -> Self:  # noqa: ANN401 — the class's own fields
        """What happened to a session."""
        return cls(
            user_id=session.user_id, session_id=session.id, client_id=session.client_id, device=device, **details
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedIn(_AboutSession):
    """A session was opened.

    Attributes:
        amr: How the user authenticated (RFC 8176).
    """

    amr: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedInAtPages(AboutUser):
    """A user logged in at our own pages, from where clients get their sessions.

    Attributes:
        browser_session_id: The login.
        amr: How the user authenticated (RFC 8176).
    """

    browser_session_id: UUID
    amr: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginRefused(Event):
    """A login failed.

    Attributes:
        client_id: The client that sent it.
        reason: Why, for operators: the caller was told less.
    """

    is_kept = False

    client_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedOut(Event):
    """A secret of one account was guessed at so often that no guess is heard for a while. Once for a row of failures.

    Attributes:
        kind: What was guessed at: `password`, `current_password`, `totp` or `recovery`.
        user_id: Whose account it is; None where there is no such account, which is answered alike.
    """

    kind: str
    user_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRefreshed(_AboutSession):
    """A refresh token was traded.

    Attributes:
        retried: It was traded a moment before, and got the same successor again.
    """

    is_kept = False

    retried: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshRefused(Event):
    """A refresh token gave nothing, and nothing was changed.

    Attributes:
        client_id: The client that sent it.
        reason: Why, for operators.
    """

    is_kept = False

    client_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionHealed(_AboutSession):
    """A token was ahead of its row: the database lost the last refreshes in a failover. The session goes on.

    Attributes:
        lost_generations: How many refreshes were lost.
    """

    lost_generations: int


class SessionReused(_AboutSession):
    """A refresh token was used that had been traded long ago: somebody has a copy. The session was ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEnded(AboutUser):
    """A session was ended: by a logout, from the list of devices, or by a revoked refresh token."""

    session_id: UUID

    @classmethod
    def each(cls, user_id: UUID, session_ids: Sequence[UUID], by: By) -> "list[SessionEnded]":
        """One for each of a user's sessions that ended together."""
        return [
            cls(user_id=user_id, session_id=session_id, actor=by.actor, device=by.device) for session_id in session_ids
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRevoked(AboutUser):
    """One access token was revoked.

    Attributes:
        token_id: Its `jti`.
    """

    token_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _AboutConsent(AboutUser):
    client_id: str
    scopes: tuple[str, ...]


class ConsentGranted(_AboutConsent):
    """A user allowed a client something.

    Attributes:
        scopes: What, this time.
    """


class ConsentRevoked(_AboutConsent):
    """A user, or an operator for them, took back what a client was allowed; its sessions ended.

    Attributes:
        scopes: What it was.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRefused(Event):
    """An authorization code gave nothing, and nothing was changed.

    Attributes:
        client_id: The client that sent it.
        reason: Why, for operators.
    """

    is_kept = False

    client_id: str
    reason: str


class CodeReused(_AboutSession):
    """An authorization code was used a second time, by its client. The session that it gave was ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _AboutRole(Event):
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleChanged(_AboutRole):
    """A role was made, or allows other scopes now.

    Attributes:
        scopes: What it allows.
    """

    scopes: tuple[str, ...]


class RoleDeleted(_AboutRole):
    """A role was deleted, and taken from all who had it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleGiven(AboutUser):
    """A user got a role."""

    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleTaken(AboutUser):
    """A user lost a role; their tokens lost its scopes."""

    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _AboutApiKey(Event):
    api_key_id: UUID
    hint: str
    user_id: UUID | None
    client_id: str | None

    @classmethod
    def of(cls, key: ApiKey, device: Device, **details: Any) -> Self:  # noqa: ANN401 — the class's own fields
        """What happened to an API key."""
        return cls(
            api_key_id=key.id, hint=key.hint, user_id=key.user_id, client_id=key.client_id, device=device, **details
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyCreated(_AboutApiKey):
    """An API key was made; of a user, or of a client where `client_id` is set.

    Attributes:
        scopes: What it may do at most.
        expires_at: When it ends, UTC.
        replaces: The id of the key that it follows, where one was rotated.
    """

    scopes: tuple[str, ...]
    expires_at: datetime
    replaces: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyRevoked(_AboutApiKey):
    """An API key was revoked: by its owner, by an operator, with the change of a password, or because it was rotated.

    Attributes:
        ends_at: When it ends, UTC, where it was given a grace; None where it has ended.
    """

    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _AboutClient(Event):
    client_id: str


class ClientCreated(_AboutClient):
    """A client was registered."""


class ClientChanged(_AboutClient):
    """What a client may do, or how it authenticates, was changed."""


class ClientDisabled(_AboutClient):
    """A client was disabled; none of its tokens is good."""


class ClientEnabled(_AboutClient):
    """A disabled client may do again what it could."""


class ClientDeleted(_AboutClient):
    """A client is gone, and all its tokens with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _AboutSecret(_AboutClient):
    secret_id: UUID


class ClientSecretAdded(_AboutSecret):
    """A client has a new secret."""


class ClientSecretRemoved(_AboutSecret):
    """A client's secret is good no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientRefused(Event):
    """A client did not authenticate.

    Attributes:
        reason: Why, for operators: the caller was told less. It names the client where there is such a one.
    """

    is_kept = False

    reason: str


class ClientTokenIssued(_AboutClient):
    """A client got an access token for itself."""

    is_kept = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientTokenRevoked(_AboutClient):
    """One access token that a client had for itself was revoked.

    Attributes:
        token_id: Its `jti`.
    """

    token_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _AboutMail(Event):
    kind: str


class MailSent(_AboutMail):
    """A mail was handed over.

    Attributes:
        kind: The name of its template.
    """

    is_kept = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MailDelayed(_AboutMail):
    """A mail could not be handed over; it is tried again.

    Attributes:
        kind: The name of its template.
        attempts: How often it was tried.
        reason: Why it failed this time.
    """

    is_kept = False

    attempts: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MailFailed(_AboutMail):
    """A mail was given up: nobody took it while it was of use.

    Attributes:
        kind: The name of its template.
        mail_id: What `watchword outbox retry` takes.
        attempts: How often it was tried.
        reason: Why it failed the last time.
    """

    mail_id: UUID
    attempts: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _AboutLogoutNotice(AboutUser):
    client_id: str
    session_id: UUID


class LogoutNoticeSent(_AboutLogoutNotice):
    """A client was told that a session of its user has ended."""

    is_kept = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutNoticeDelayed(_AboutLogoutNotice):
    """A client could not be told that a session has ended; it is tried again.

    Attributes:
        attempts: How often it was tried.
        reason: Why it failed this time.
    """

    is_kept = False

    attempts: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutNoticeFailed(_AboutLogoutNotice):
    """A client was not told within a day that a session has ended: it may still think that its user is logged in.

    Attributes:
        attempts: How often it was tried.
    """

    attempts: int


E = TypeVar("E", bound=Event)
Handler = Callable[[E], Awaitable[None] | None]


class Events:
    """Knows who wants to hear of what."""

    def __init__(self) -> None:
        self._handlers: dict[type[Event], list[Handler[Any]]] = {}
        self._keep: Callable[[Event], Awaitable[None]] | None = None

    @contextmanager
    def kept_by(self, keep: Callable[[Event], Awaitable[None]]) -> Iterator[None]:
        """Keep events, within a block."""
        self._keep = keep
        try:
            yield
        finally:
            self._keep = None

    def on(self, event: type[E], handler: Handler[E]) -> None:
        """Call a handler, plain or async, with each event of a class, in the order handlers were added."""
        self._handlers.setdefault(event, []).append(handler)

    @contextmanager
    def heard_by(self, event: type[E], handler: Handler[E]) -> Iterator[None]:
        """Call a handler as `on` does, within a block."""
        self.on(event, handler)
        try:
            yield
        finally:
            self._handlers[event].remove(handler)

    async def emit(self, *events: Event) -> None:
        """Log events, keep them, call their handlers. What goes wrong is logged, and changes nothing for the caller."""
        for event in events:
            await self._emit(event)

    async def _emit(self, event: Event) -> None:
        if _log.isEnabledFor(logging.INFO):
            fields = event.fields()
            text = " ".join(f"{name}={value!r}" for name, value in fields.items())
            _log.info("%s %s", event.name(), text, extra={LOG_FIELDS: {"event": event.name(), **fields}})
        if self._keep is not None and event.is_kept:
            try:
                await self._keep(event)
            except Exception as error:  # noqa: BLE001 — it has happened, whether it can be kept or not
                _log.warning("%s was not kept: %s", event.name(), error)
        for cls in type(event).__mro__:
            for handler in self._handlers.get(cls, ()):
                try:
                    outcome = handler(event)
                    if inspect.isawaitable(outcome):
                        await outcome
                except Exception:  # noqa: BLE001 — the host's code; a login does not fail for it
                    _log.exception("a handler of %s failed", event.name())
