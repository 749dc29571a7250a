"""All that is held about a user."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar
from uuid import UUID

from watchword.errors import NotFound
from watchword.model import Account, ApiKey, BrowserSession, Consent, OneTimeToken, Session, StoredEvent
from watchword.storage import Database

_PAGE: Final = 1000


class _Row(Protocol):
    @property
    def id(self) -> UUID: ...


R = TypeVar("R", bound=_Row)


@dataclass(frozen=True, slots=True)
class AccountExport:
    """What there is, without what would let anybody in.

    Attributes:
        browser_sessions: Logins at our own pages.
        consents: What they allowed clients.
        links: Links that were mailed and not followed yet.
        events: What happened to them, the newest first, as long as events are kept.
    """

    account: Account
    sessions: Sequence[Session]
    browser_sessions: Sequence[BrowserSession]
    api_keys: Sequence[ApiKey]
    consents: Sequence[Consent]
    links: Sequence[OneTimeToken]
    events: Sequence[StoredEvent]


@dataclass(frozen=True, slots=True)
class ExportAccount:
    """Collects it, page by page."""

    storage: Database

    async def __call__(self, user_id: UUID) -> AccountExport:
        """Collect.

        Raises:
            NotFound: There is no such user.
            StorageDown: The database does not answer.
        """
        async with self.storage.reading() as stores:
            account = await stores.users.get(user_id)
            if account is None:
                raise NotFound(f"no user {user_id}")
            return AccountExport(
                account,
                await _all(lambda before: stores.sessions.page(user_id, before=before, limit=_PAGE)),
                await _all(lambda before: stores.browser_sessions.page(user_id, before=before, limit=_PAGE)),
                await _all(lambda before: stores.api_keys.page(user_id, before=before, limit=_PAGE)),
                await stores.consents.page(user_id),
                await stores.one_time_tokens.of_user(user_id),
                await _all(lambda before: stores.events.page(user_id=user_id, before=before, limit=_PAGE)),
            )


async def _all(page: Callable[[UUID | None], Awaitable[Sequence[R]]]) -> Sequence[R]:
    found: list[R] = []
    while rows := await page(found[-1].id if found else None):
        found.extend(rows)
    return found
