"""What users allow clients."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from watchword.errors import NotFound
from watchword.events import OPERATOR, By, ConsentGranted, ConsentRevoked, Events, SessionEnded
from watchword.model import Consent, ConsentQuestion
from watchword.storage import Database


@dataclass(frozen=True, slots=True)
class ManageConsents:
    """Gives, lists and takes back consents. Each method raises `StorageDown`."""

    storage: Database
    events: Events

    async def grant(self, user_id: UUID, question: ConsentQuestion, *, by: By = OPERATOR) -> None:
        """Note that a user said yes; what they allowed the client before stays allowed.

        Args:
            user_id: Who.
            question: What they were asked.
            by: On whose behalf.

        Raises:
            NotFound: The user or the client is gone.
        """
        scopes = frozenset(question.scopes)
        async with self.storage.transaction() as stores:
            is_added = await stores.consents.add(user_id, question.client.id, scopes)
        if not is_added:
            raise NotFound(f"user {user_id} or client {question.client.id} is gone")
        await self.events.emit(
            ConsentGranted(
                user_id=user_id,
                client_id=question.client.id,
                scopes=tuple(sorted(scopes)),
                actor=by.actor,
                device=by.device,
            )
        )

    async def page(self, user_id: UUID, *, after: str | None = None, limit: int = 100) -> Sequence[Consent]:
        """A page of a user's consents, by client.

        Args:
            user_id: Whose.
            after: The `client_id` of the last one of the page before.
            limit: How many at most.
        """
        async with self.storage.reading() as stores:
            return await stores.consents.page(user_id, after_id=after, limit=limit)

    async def revoke(self, user_id: UUID, client_id: str, *, by: By = OPERATOR) -> None:
        """Take back what a user allowed a client: its sessions end, and its codes are void.

        Raises:
            NotFound: The user allowed it nothing.
        """
        async with self.storage.transaction() as stores:
            scopes = await stores.consents.delete(user_id, client_id)
            if scopes is None:
                raise NotFound(f"user {user_id} has allowed client {client_id} nothing")
            # A code that is being redeemed is waited for here, so that the session it gives is among those that end.
            await stores.authorization_codes.discard(user_id, client_id)
            ended = await stores.sessions.end_of_client(user_id, client_id)
        event = ConsentRevoked(
            user_id=user_id, client_id=client_id, scopes=tuple(sorted(scopes)), actor=by.actor, device=by.device
        )
        await self.events.emit(event, *SessionEnded.each(user_id, ended, by))
