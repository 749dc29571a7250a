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

    async def others(self, user_id: UUID, *, but: UUID | None, by: By = OPERATOR) -> None:
        """End all sessions of a user but one."""
        async with self.storage.transaction() as stores:
            ended = await stores.sessions.end_others(user_id, but=but)
        for session_id in ended:
            await self.events.emit(
                SessionEnded(user_id=user_id, session_id=session_id, actor=by.actor, device=by.device)
            )

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
