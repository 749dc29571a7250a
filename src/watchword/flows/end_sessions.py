"""Log out: here, there, or everywhere."""

from dataclasses import dataclass
from uuid import UUID

from watchword.errors import NotFound
from watchword.events import OPERATOR, By, Events, LoggedOutEverywhere, SessionEnded
from watchword.storage import Database


@dataclass(frozen=True, slots=True)
class EndSessions:
    """Ends sessions, and with them every token they issued. Each method raises `StorageDown`."""

    storage: Database
    events: Events

    async def one(self, user_id: UUID, session_id: UUID, *, by: By = OPERATOR) -> None:
        """End one session of a user.

        Raises:
            NotFound: The user has no such session, or it has ended.
        """
        async with self.storage.transaction() as stores:
            ended = await stores.sessions.end([session_id], user_id=user_id)
        if not ended:
            raise NotFound(f"user {user_id} has no session {session_id}")
        await self.events.emit(SessionEnded(user_id=user_id, session_id=session_id, actor=by.actor, device=by.device))

    async def others(
        self, user_id: UUID, *, but: UUID | None = None, but_of_browser: UUID | None = None, by: By = OPERATOR
    ) -> None:
        """End all sessions of a user but one, those at our pages too.

        Args:
            user_id: Whose.
            but: The session that goes on, and the login at our pages that it came from.
            but_of_browser: Or the login at our pages that goes on, and what it gave to clients.
            by: On whose behalf.
        """
        async with self.storage.transaction() as stores:
            browser = but_of_browser if but is None else await stores.sessions.browser_of(but)
            await stores.browser_sessions.end_others(user_id, but=browser)
            ended = await stores.sessions.end_others(user_id, but=but, but_of_browser=but_of_browser)
        await self.events.emit(*SessionEnded.each(user_id, ended, by))

    async def everywhere(self, user_id: UUID, *, by: By = OPERATOR) -> None:
        """End all sessions and tokens of a user, whatever issued them.

        Raises:
            NotFound: There is no such user.
        """
        async with self.storage.transaction() as stores:
            account = await stores.users.end_tokens(user_id)
        if account is None:
            raise NotFound(f"no user {user_id}")
        await self.events.emit(LoggedOutEverywhere(user_id=user_id, actor=by.actor, device=by.device))
