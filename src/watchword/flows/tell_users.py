"""Tell users, by mail, what happened to their accounts."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

from watchword.events import (
    AboutUser,
    Events,
    LoggedIn,
    LoggedInAtPages,
    PasswordChanged,
    PasswordReset,
    RecoveryCodesRenewed,
    RecoveryCodeUsed,
    SecondFactorDisabled,
    SecondFactorEnabled,
    SessionReused,
)
from watchword.identity.outbox import Outbox
from watchword.mail import Letter
from watchword.storage import Database
from watchword.storage.hot_path import is_on_a_new_device

NOTICES: Final[Mapping[type[AboutUser], str]] = {
    PasswordChanged: "password_changed",
    PasswordReset: "password_reset",
    SessionReused: "session_reused",
    SecondFactorEnabled: "second_factor_enabled",
    SecondFactorDisabled: "second_factor_disabled",
    RecoveryCodesRenewed: "recovery_codes_renewed",
    RecoveryCodeUsed: "recovery_code_used",
}
"""Events, and the template of the mail about each; it sees the event's fields."""


@dataclass(frozen=True, slots=True)
class TellUsers:
    """Puts a notice into the outbox when something happens that a thief would do, and the owner should know.

    The event comes after the commit: a process that is killed in between tells nobody. Links are not written this way.
    """

    storage: Database
    outbox: Outbox

    @contextmanager
    def listening(self, events: Events) -> Iterator[None]:
        """Tell, within a block."""
        with ExitStack() as stack:
            for event, template in NOTICES.items():
                stack.enter_context(events.heard_by(event, partial(self._tell, template)))
            stack.enter_context(events.heard_by(LoggedIn, self._tell_of_a_new_device))
            stack.enter_context(events.heard_by(LoggedInAtPages, self._tell_of_a_new_browser))
            yield

    async def _tell(self, template: str, event: AboutUser) -> None:
        async with self.storage.transaction() as stores:
            account = await stores.users.get(event.user_id)
            if account is not None:
                await self.outbox.put(stores, Letter(template, account.email, event.fields()))
        self.outbox.wake()

    async def _tell_of_a_new_device(self, event: LoggedIn) -> None:
        if await is_on_a_new_device(self.storage, event.session_id, event.user_id, event.device):
            await self._tell("new_device", event)

    async def _tell_of_a_new_browser(self, event: LoggedInAtPages) -> None:
        async with self.storage.reading() as stores:
            is_new = await stores.browser_sessions.is_on_a_new_device(
                event.browser_session_id, event.user_id, event.device
            )
        if is_new:
            await self._tell("new_device", event)
