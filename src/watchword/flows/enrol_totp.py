"""Set up an authenticator app: a seed that waits, and the code that puts it in force."""

from dataclasses import dataclass, field
from uuid import UUID

from watchword.crypto import recovery_codes, totp
from watchword.errors import InvalidGrant, InvalidToken, NoSecondFactor
from watchword.events import NOWHERE, Events, SecondFactorEnabled
from watchword.identity.browser_sessions import OpenBrowserSession, OpenedBrowserSession
from watchword.identity.open_session import OpenSession
from watchword.identity.pending import Pending
from watchword.identity.reauthenticate import Reauthenticate, Reauthenticated
from watchword.identity.scopes import ScopeCatalogue
from watchword.identity.second_factor import CheckCode, PendingToken, use_up
from watchword.model import AMR_SECOND_FACTOR, Account, BrowserSession, Client, Device, IssuedTokens
from watchword.storage import Database, Stores


@dataclass(frozen=True, slots=True)
class NewTotp:
    """What an authenticator app is given. It is in this value and nowhere else: the database has it sealed.

    Attributes:
        secret: The seed in base32, to be typed where no QR code can be read.
        provisioning_uri: `otpauth://totp/…`.
        qr_svg: The same as a QR code.
    """

    secret: str = field(repr=False)
    provisioning_uri: str = field(repr=False)
    qr_svg: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A second factor is in force.

    Attributes:
        recovery_codes: Shown once, stored as digests.
        issued: The tokens of the login that waited for this; None where a session asked.
        opened: The login at our pages that waited for this.
    """

    recovery_codes: tuple[str, ...] = field(repr=False)
    issued: IssuedTokens | None = None
    opened: OpenedBrowserSession | None = None


@dataclass(frozen=True, slots=True)
class EnrolTotp:
    """Sets up a second factor, or another in its place.

    Attributes:
        issuer_name: What the app shows beside the email.
    """

    storage: Database
    reauthenticate: Reauthenticate
    check_code: CheckCode
    scopes: ScopeCatalogue
    open_session: OpenSession
    open_browser_session: OpenBrowserSession
    events: Events
    issuer_name: str

    async def set_up(self, user_id: UUID, password: str, code: str | None, *, device: Device = NOWHERE) -> NewTotp:
        """Make a seed. What is in force stays so until a code of the new one is confirmed.

        Raises:
            WrongPassword: The password is not right.
            InvalidGrant: There is a factor, and the code is not one of it.
            HashingBusy, InvalidRequest, StorageDown: See `Reauthenticate`.
        """
        return await self._set_up(await self.reauthenticate(user_id, password, code, device=device), device)

    async def set_up_for_login(self, pending: Pending, *, device: Device = NOWHERE) -> NewTotp:
        """Make a seed, for a login that waits for one: its password was right, and is still the user's.

        Raises:
            WrongPassword: The account changed meanwhile.
            StorageDown: The database does not answer.
        """
        return await self._set_up(Reauthenticated(pending.account, None), device)

    async def _set_up(self, again: Reauthenticated, device: Device) -> NewTotp:
        secret, user_id = totp.new_secret(), again.account.id
        async with self.storage.transaction() as stores:
            happened = await again.hold(stores, device=device)
            sealed = self.check_code.seal(user_id, secret, "pending_sealed")
            await stores.second_factors.set_pending(user_id, sealed)
        await self.events.emit(*happened)
        uri = totp.provisioning_uri(secret, account=again.account.email, issuer=self.issuer_name)
        return NewTotp(secret, uri, totp.qr_svg(uri))

    async def confirm_for_session(
        self, user_id: UUID, asking: UUID | BrowserSession | None, code: str, *, device: Device = NOWHERE
    ) -> Enrolled:
        """Put the seed in force, for a user who is logged in.

        Args:
            user_id: Who.
            asking: The id of their session, or their login at our pages.
            code: Of the new seed.
            device: Where from.

        Raises:
            NoSecondFactor: None waits to be confirmed.
            InvalidGrant: The code is not one of it.
            InvalidToken: The session has ended meanwhile.
            StorageDown: The database does not answer.
        """
        async with self.storage.reading() as stores:
            account = await stores.users.get(user_id)
        if account is None:
            raise NoSecondFactor(f"user {user_id} is gone")
        codes, _ = await self._confirm(account, code, asking=asking, device=device)
        return Enrolled(codes)

    async def confirm_for_login(
        self, pending: Pending, client: Client, code: str, *, device: Device = NOWHERE
    ) -> Enrolled:
        """Put the seed in force, and complete the login that had to wait for it.

        Raises:
            NoSecondFactor, InvalidGrant, StorageDown: As above.
            InvalidToken: The pending token was traded before, or is not this client's.
        """
        if pending.client_id != client.id:
            raise InvalidToken(f"pending token of client {pending.client_id}")
        codes, account = await self._confirm(pending.account, code, asking=pending.token, device=device)
        issued = await self.open_session(
            account,
            client,
            scopes=pending.scopes & self.scopes.allowed_for(account),
            amr=(*pending.amr, *AMR_SECOND_FACTOR),
            device=device,
        )
        if issued is None:  # the factor is in force all the same, and the next login asks for it
            raise InvalidToken(f"user {account.id} changed before the login was complete")
        return Enrolled(codes, issued)

    async def confirm_at_pages(
        self, pending: Pending, code: str, *, before: BrowserSession | None, device: Device = NOWHERE
    ) -> Enrolled:
        """Put the seed in force, and complete the login at our pages that had to wait for it.

        Raises:
            NoSecondFactor, InvalidGrant, StorageDown: As above.
            InvalidToken: The pending token was traded before.
        """
        codes, account = await self._confirm(pending.account, code, asking=pending.token, device=device)
        amr = (*pending.amr, *AMR_SECOND_FACTOR)
        opened = await self.open_browser_session(account, amr=amr, device=device, before=before)
        if opened is None:  # the factor is in force all the same, and the next login asks for it
            raise InvalidToken(f"user {account.id} changed before the login was complete")
        return Enrolled(codes, opened=opened)

    async def _confirm(
        self, account: Account, code: str, *, asking: PendingToken | BrowserSession | UUID | None, device: Device
    ) -> tuple[tuple[str, ...], Account]:
        user_id = account.id
        async with self.storage.reading() as stores:
            waiting = (await stores.second_factors.get(user_id)).pending
        if waiting is None:
            raise NoSecondFactor(f"nothing of user {user_id} waits to be confirmed")
        step = await self.check_code.confirm(account, waiting, code, device=device)
        secret = self.check_code.unseal(user_id, waiting, "pending_sealed")
        sealed = self.check_code.seal(user_id, secret, "secret_sealed")
        codes, digests = recovery_codes.new_set()
        async with self.storage.transaction() as stores:
            # It locks the account's row: a login that is completed now compares the factor that it read.
            if not await stores.users.hold(account):
                raise InvalidGrant(f"user {user_id} changed while a code was confirmed", text="Try again")
            if isinstance(asking, PendingToken):
                await use_up(stores, user_id, [asking])
            elif not await _is_in_force(stores, asking):
                raise InvalidToken(f"a session of user {user_id} ended before a second factor was confirmed")
            if not await stores.second_factors.confirm(user_id, pending=waiting, secret=sealed, step=step):
                raise NoSecondFactor(f"what waited for user {user_id} was replaced or confirmed meanwhile")
            await stores.second_factors.replace_recovery_codes(user_id, digests)
            confirmed = await stores.users.set_second_factor(user_id, confirmed=True)
        await self.events.emit(SecondFactorEnabled(user_id=user_id, device=device))
        return codes, confirmed or account


async def _is_in_force(stores: Stores, asking: BrowserSession | UUID | None) -> bool:
    if isinstance(asking, BrowserSession):
        return await stores.browser_sessions.hold(asking.id) is not None
    return asking is not None and await stores.sessions.is_in_force(asking)
