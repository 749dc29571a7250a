"""Authenticate again within a session (RFC 9470): what was asked of an old or weaker login is met, and it goes on."""

from collections.abc import Sequence
from dataclasses import dataclass

from watchword.errors import InvalidToken, NoSecondFactor
from watchword.events import NOWHERE, Event, Events
from watchword.identity.issue import IssueTokens
from watchword.identity.reauthenticate import Reauthenticate, Reauthenticated
from watchword.identity.second_factor import CheckCode
from watchword.model import AMR_SECOND_FACTOR, Device, IssuedTokens, Principal
from watchword.storage import Database


@dataclass(frozen=True, slots=True)
class StepUp:
    """Renews `auth_time` of a session, adds the second factor to its `amr`, and issues an access token that says so."""

    storage: Database
    reauthenticate: Reauthenticate
    check_code: CheckCode
    issue: IssueTokens
    events: Events

    async def by_code(self, asking: Principal, code: str, *, device: Device = NOWHERE) -> IssuedTokens:
        """By the second factor alone.

        Raises:
            NoSecondFactor: The user has none.
            InvalidGrant: The code is wrong or was used before.
            InvalidToken: The session has ended meanwhile.
            StorageDown: The database does not answer.
        """
        async with self.storage.reading() as stores:
            account = await stores.users.get(asking.user_id) if asking.user_id is not None else None
        if account is None or not account.second_factor:
            raise NoSecondFactor(f"user {asking.user_id} has no second factor")
        factor = await self.check_code(account, code, device=device)
        return await self._step_up(asking, Reauthenticated(account, factor), device)

    async def by_password(
        self, asking: Principal, password: str, code: str | None, *, device: Device = NOWHERE
    ) -> IssuedTokens:
        """By the password, and the second factor of a user who has one.

        Raises:
            WrongPassword, InvalidGrant: The password or the code is not right.
            InvalidToken: The session has ended meanwhile.
            HashingBusy, InvalidRequest, StorageDown: See `Reauthenticate`.
        """
        if asking.user_id is None:
            raise InvalidToken("no user")
        again = await self.reauthenticate(asking.user_id, password, code, device=device)
        return await self._step_up(asking, again, device)

    async def _step_up(self, asking: Principal, again: Reauthenticated, device: Device) -> IssuedTokens:
        amr = None if again.factor is None else tuple(dict.fromkeys((*asking.amr, *AMR_SECOND_FACTOR)))
        happened: Sequence[Event] = ()
        async with self.storage.transaction() as stores:
            happened = await again.hold(stores, device=device)
            session = None
            if asking.session_id is not None:
                session = await stores.sessions.step_up(asking.session_id, amr=amr)
            if session is None:
                raise InvalidToken(f"session {asking.session_id} ended before it was stepped up")
        await self.events.emit(*happened)
        return self.issue(session, None, scopes=asking.scopes & session.scopes)
