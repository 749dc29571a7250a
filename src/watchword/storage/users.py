"""The user store."""

import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Boolean, ColumnElement, bindparam, case, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from watchword.errors import EmailTaken, StillReferenced
from watchword.model import Account, NewHash
from watchword.storage.clock import now
from watchword.storage.direct import Call, Row, Statement
from watchword.storage.logout_notices import note_ended
from watchword.storage.revocations import RevocationStore
from watchword.storage.roles import roles_of_user, scopes_of_user
from watchword.storage.statements import insert_for
from watchword.storage.tables import UtcDateTime, session, user, user_role

PUBLIC_ACCOUNT: Final = (
    user.c.id,
    user.c.email,
    user.c.is_active,
    user.c.profile,
    user.c.email_verified_at,
    user.c.created_at,
    user.c.last_login_at,
    user.c.token_epoch,
    user.c.second_factor_since,
    roles_of_user().label("roles"),
    scopes_of_user().label("role_scopes"),
)
_LAST_CHARACTER: Final = chr(sys.maxunicode)
_ACCOUNT = (*PUBLIC_ACCOUNT, user.c.password_hash)

_FIND: Final = Statement(select(*_ACCOUNT).where(user.c.email_canonical == bindparam("canonical")))

# That an account is what it was when it was read, as far as a login depends on it.
_IS_STILL = (
    user.c.id == bindparam("verified_id"),
    user.c.is_active,
    user.c.password_hash.is_not_distinct_from(bindparam("verified_hash", type_=user.c.password_hash.type)),
    user.c.token_epoch == bindparam("verified_epoch"),
    user.c.second_factor_since.is_not_distinct_from(bindparam("verified_factor", type_=UtcDateTime())),
)
_REHASH = {
    name: func.coalesce(bindparam(f"new_{name}", type_=user.c[name].type), user.c[name])
    for name in ("password_hash", "password_scheme")
}
_RECORD_LOGIN: Final = Statement(
    update(user).where(*_IS_STILL).values(last_login_at=now(), **_REHASH).returning(user.c.id)
)


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What an account starts with."""

    id: UUID
    email: str
    email_canonical: str
    password: NewHash | None
    profile: Mapping[str, Any]
    roles: frozenset[str] = frozenset()
    is_email_verified: bool = False


@dataclass(frozen=True, slots=True)
class ImportedAccount:
    """An account that comes from elsewhere, with what was known of it there."""

    new: NewAccount
    is_active: bool
    is_email_verified: bool


@dataclass(frozen=True, slots=True)
class Taken:
    """Canonical addresses and ids that accounts have."""

    emails: frozenset[str]
    ids: frozenset[UUID]


@dataclass(frozen=True, slots=True)
class UserStore:
    """Reads and writes accounts on one connection. What changes one is told to those who remember it."""

    _connection: AsyncConnection
    _revocations: RevocationStore

    async def add(self, new: NewAccount) -> Account | None:
        """Insert an account. None if the canonical address is taken; the race is the database's to decide."""
        statement = (
            insert_for(self._connection, user)
            .values(
                id=new.id,
                email=new.email,
                email_canonical=new.email_canonical,
                **_hash_columns(new.password),
                is_active=True,
                token_epoch=0,
                profile=dict(new.profile),
                created_at=now(),
                email_verified_at=now() if new.is_email_verified else None,
            )
            .on_conflict_do_nothing(index_elements=[user.c.email_canonical])
        )
        if (await self._connection.execute(statement)).rowcount != 1:
            return None
        await self._give_roles([(new.id, name) for name in sorted(new.roles)])
        return await self.get(new.id)

    async def add_imported(self, accounts: Sequence[ImportedAccount]) -> frozenset[UUID]:
        """Insert accounts by one statement, save those whose address or id is taken; the ids that were inserted."""
        # The address was proved elsewhere; here, its moment is the import.
        verified_at = case((bindparam("is_email_verified", type_=Boolean()), now()))
        statement = (
            insert_for(self._connection, user)
            .values(token_epoch=0, created_at=now(), email_verified_at=verified_at)
            .on_conflict_do_nothing()
            .returning(user.c.id)
        )
        rows = [
            {
                "id": account.new.id,
                "email": account.new.email,
                "email_canonical": account.new.email_canonical,
                "password_hash": account.new.password.encoded if account.new.password else None,
                "password_scheme": account.new.password.scheme if account.new.password else None,
                "is_active": account.is_active,
                "profile": dict(account.new.profile),
                "is_email_verified": account.is_email_verified,
            }
            for account in accounts
        ]
        inserted = frozenset((await self._connection.execute(statement, rows)).scalars())
        news = [account.new for account in accounts if account.new.id in inserted]
        await self._give_roles([(new.id, name) for new in news for name in sorted(new.roles)])
        return inserted

    async def taken(self, *, emails: Collection[str], ids: Collection[UUID]) -> Taken:
        """Which of these canonical addresses and ids accounts have."""
        found_emails = await self._connection.execute(
            select(user.c.email_canonical).where(user.c.email_canonical.in_(emails))
        )
        found_ids = await self._connection.execute(select(user.c.id).where(user.c.id.in_(ids))) if ids else None
        return Taken(frozenset(found_emails.scalars()), frozenset(found_ids.scalars() if found_ids else ()))

    async def get(self, user_id: UUID) -> Account | None:
        """The account with this id; None if there is none."""
        result = await self._connection.execute(select(*_ACCOUNT).where(user.c.id == user_id))
        return to_account_if_any(result.one_or_none())

    async def find(self, email_canonical: str) -> Account | None:
        """The account with this canonical address; None if there is none."""
        return to_account_if_any((await find(email_canonical).on(self._connection)).one_or_none())

    async def page(self, *, after: UUID | None, limit: int) -> Sequence[Account]:
        """The next accounts in the order they were made, by the primary key."""
        statement = select(*_ACCOUNT).order_by(user.c.id).limit(limit)
        if after is not None:
            statement = statement.where(user.c.id > after)
        rows = (await self._connection.execute(statement)).all()
        return [to_account(row._mapping) for row in rows]  # noqa: SLF001 — SQLAlchemy's public name for it

    async def search(self, beginning: str, *, after: str | None, limit: int) -> Sequence[tuple[str, Account]]:
        """Accounts by their canonical addresses, which compare by bytes; with each, that address."""
        canonical = user.c.email_canonical
        statement = select(canonical, *_ACCOUNT).order_by(canonical).limit(limit)
        if beginning:
            statement = statement.where(canonical >= beginning, canonical < beginning + _LAST_CHARACTER)
        if after is not None:
            statement = statement.where(canonical > after)
        rows = (await self._connection.execute(statement)).all()
        return [(row[0], to_account(dict(zip(row._fields[1:], row[1:], strict=True)))) for row in rows]

    async def record_login(self, verified: Account, *, rehashed: NewHash | None) -> bool:
        """Complete a login: `record_login`. False if the account changed or is gone."""
        return (await record_login(verified, rehashed=rehashed).on(self._connection)).one_or_none() is not None

    async def rehash(self, verified: Account, new: NewHash) -> bool:
        """Replace a weak hash by another of the same password, where a login is not complete yet.

        Returns:
            False if the account changed or is gone.
        """
        statement = update(user).where(*_IS_STILL).values(**_hash_columns(new))
        return (await self._connection.execute(statement, _as_verified(verified))).rowcount == 1

    async def hold(self, verified: Account) -> bool:
        """Lock an account until the transaction ends. False if it is not what it was when it was read, or gone."""
        # A statement that writes the row: on PostgreSQL it waits for who holds it, then looks again.
        statement = update(user).where(*_IS_STILL).values(is_active=user.c.is_active)
        return (await self._connection.execute(statement, _as_verified(verified))).rowcount == 1

    async def set_second_factor(self, user_id: UUID, *, confirmed: bool) -> Account | None:
        """Note that a second factor was confirmed now, or that there is none. None if there is no such account."""
        return await self._change(user.c.id == user_id, second_factor_since=now() if confirmed else None)

    async def replace_password(self, verified: Account, new: NewHash) -> bool:
        """Set a new password and end every token, if the old hash is still the one that was verified.

        Returns:
            False if the account changed or is gone.
        """
        return (
            await self._change(
                user.c.id == verified.id,
                user.c.is_active,
                user.c.password_hash == verified.password_hash,
                token_epoch=user.c.token_epoch + 1,
                **_hash_columns(new),
            )
            is not None
        )

    async def reset_password(self, user_id: UUID, new: NewHash, *, email_proved: bool) -> Account | None:
        """Set a new password and end every token. None if there is no such account.

        Args:
            user_id: Whose, their row held.
            new: The hash.
            email_proved: Whether whoever resets it has just shown that the address is theirs.
        """
        proof = {"email_verified_at": func.coalesce(user.c.email_verified_at, now())} if email_proved else {}
        return await self._change(
            user.c.id == user_id, token_epoch=user.c.token_epoch + 1, **_hash_columns(new), **proof
        )

    async def verify_email(self, user_id: UUID) -> Account | None:
        """Note that the address is proved. None if there is no such account."""
        return await self._change(user.c.id == user_id, email_verified_at=now())

    async def change_email(self, user_id: UUID, email: str, email_canonical: str) -> Account | None:
        """Set another address, which is proved. None if there is no such account.

        Raises:
            EmailTaken: Another account has it.
        """
        try:
            return await self._change(
                user.c.id == user_id, email=email, email_canonical=email_canonical, email_verified_at=now()
            )
        except IntegrityError as error:
            raise EmailTaken("the new address has got an account meanwhile") from error

    async def set_active(self, user_id: UUID, *, active: bool) -> Account | None:
        """Enable or disable, ending every token. None where that changes nothing, or there is no such account."""
        return await self._change(
            user.c.id == user_id, user.c.is_active != active, is_active=active, token_epoch=user.c.token_epoch + 1
        )

    async def end_tokens(self, user_id: UUID) -> Account | None:
        """End every token and session of a user. None if there is no such account."""
        return await self._change(user.c.id == user_id, token_epoch=user.c.token_epoch + 1)

    async def end_all_tokens(self) -> int:
        """End every token of everybody, without a word to followers; how many users there are.

        The database may be an older copy of itself: the counters go up by more than can have been lost.
        """
        return (
            await self._connection.execute(update(user).values(token_epoch=user.c.token_epoch + 1_000_000))
        ).rowcount

    async def set_profile(self, user_id: UUID, profile: Mapping[str, Any]) -> Account | None:
        """Replace the profile. None if there is no such account."""
        return await self._change(user.c.id == user_id, profile=dict(profile))

    async def touch(self, user_id: UUID) -> Account | None:
        """Tell those who remember a user that something about them changed. None if there is no such account."""
        account = await self.lock(user_id)
        if account is not None:
            await self._revocations.user(user_id, epoch=account.token_epoch)
        return account

    async def lock(self, user_id: UUID) -> Account | None:
        """The account, locked until the transaction ends. None if there is none."""
        result = await self._connection.execute(select(*_ACCOUNT).where(user.c.id == user_id).with_for_update())
        return to_account_if_any(result.one_or_none())

    async def delete(self, user_id: UUID) -> bool:
        """Delete an account. False if there was none.

        Raises:
            StillReferenced: A table of the host refers to it.
        """
        account = await self.lock(user_id)  # no session is opened between the notices of its end and the end
        if account is not None:
            await self._note_logout(user_id, epoch=account.token_epoch)
        try:
            statement = user.delete().where(user.c.id == user_id).returning(user.c.token_epoch)
            epoch = (await self._connection.execute(statement)).scalar_one_or_none()
        except IntegrityError as error:
            raise StillReferenced("a foreign key of the host holds the user row") from error
        if epoch is None:
            return False
        await self._revocations.user(user_id, epoch=epoch + 1)
        return True

    async def password_schemes(self) -> Sequence[str]:
        """The distinct schemes of the stored hashes: one step along the index for each."""
        found: list[str] = []
        while True:
            statement = select(func.min(user.c.password_scheme))
            if found:
                statement = statement.where(user.c.password_scheme > found[-1])
            scheme = (await self._connection.execute(statement)).scalar_one()
            if scheme is None:
                return found
            found.append(scheme)

    async def _give_roles(self, given: Sequence[tuple[UUID, str]]) -> None:
        """Give new users their roles. Other roles change by way of `RoleStore`."""
        if given:
            rows = [{"user_id": user_id, "role": name} for user_id, name in given]
            await self._connection.execute(user_role.insert(), rows)

    async def _change(self, *which: ColumnElement[bool], **values: Any) -> Account | None:  # noqa: ANN401 — columns
        statement = update(user).where(*which).values(**values).returning(*_ACCOUNT)
        changed = to_account_if_any((await self._connection.execute(statement)).one_or_none())
        if changed is not None:
            if "token_epoch" in values:
                await self._note_logout(changed.id, epoch=changed.token_epoch - 1)
            await self._revocations.user(changed.id, epoch=changed.token_epoch)
        return changed

    async def _note_logout(self, user_id: UUID, *, epoch: int) -> None:
        """Every session of a user of this epoch ends."""
        theirs = (session.c.user_id == user_id, session.c.epoch == epoch, session.c.revoked_at.is_(None))
        await note_ended(self._connection, *theirs)


def find(email_canonical: str) -> Call:
    """The account with this canonical address; it returns what `to_account_if_any` reads."""
    return _FIND(canonical=email_canonical)


def record_login(verified: Account, *, rehashed: NewHash | None) -> Call:
    """Complete a login, if the account is still what it was when its password was read; it returns nothing if not.

    Hashing takes long and holds no connection; meanwhile the user may have been disabled, or have changed the password
    or the second factor. The statement checks what was read, so none can be overtaken, and a new hash replaces only the
    very hash that was verified.

    Args:
        verified: The account as it was read before hashing.
        rehashed: A new hash of the same password, where the stored one is weaker than it should be.
    """
    return _RECORD_LOGIN(
        **_as_verified(verified),
        new_password_hash=rehashed and rehashed.encoded,
        new_password_scheme=rehashed and rehashed.scheme,
    )


def _as_verified(verified: Account) -> dict[str, Any]:
    return {
        "verified_id": verified.id,
        "verified_hash": verified.password_hash,
        "verified_epoch": verified.token_epoch,
        "verified_factor": verified.second_factor_since,
    }


def to_account_if_any(row: Row | None) -> Account | None:
    """An account from a row, if there is one."""
    return None if row is None else to_account(row._asdict())


def to_account(columns: Any) -> Account:  # noqa: ANN401 — a mapping, be it SQLAlchemy's or a dictionary
    """An account from the columns of `PUBLIC_ACCOUNT`, and the password hash if it was read."""
    lists = {name: frozenset((columns[name] or "").split()) for name in ("roles", "role_scopes")}
    return Account(**{"password_hash": None, **columns, **lists})


def _hash_columns(new: NewHash | None) -> dict[str, Any]:
    """The two columns that change together; none where there is no new hash."""
    return {} if new is None else {"password_hash": new.encoded, "password_scheme": new.scheme}
