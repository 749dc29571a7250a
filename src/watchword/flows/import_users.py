"""Take over users from elsewhere, with the passwords they have."""

from collections import Counter
from collections.abc import AsyncGenerator, Collection, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from pydantic import BaseModel

from watchword.crypto.foreign_hashes import canonical_hash
from watchword.crypto.ids import new_id
from watchword.crypto.passwords import scheme_of
from watchword.errors import ConfigurationError, InvalidInput
from watchword.identity.authenticate_user import new_hash
from watchword.identity.emails import EmailAddress, parse_email
from watchword.identity.profiles import validate_profile
from watchword.model import NewHash
from watchword.storage import Database
from watchword.storage.users import ImportedAccount, NewAccount, Taken
from watchword.user_files import BadRow, Refused, User, UserRow
from watchword.user_files.first_lines import FirstLines

_BATCH_ROWS: Final = 1000
_BATCH_BYTES: Final = 4 << 20
_MOST_SCHEMES: Final = 64  # a server measures each, three hashes, before its next failed login is answered

_ID_TAKEN: Final = "the id belongs to another account"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of some rows.

    Attributes:
        imported: Accounts that were made; in a dry run, that would be.
        existing: Rows whose address has an account, which stays as it is.
        refused: In the file's order; an email is there only where it is an address.
        without_password: Of the imported, those that have no password to log in with.
        schemes: Of the imported, how their passwords are hashed, and how many of each.
    """

    imported: int
    existing: int
    refused: Sequence[Refused]
    without_password: int
    schemes: Counter[str]


@dataclass(frozen=True, slots=True)
class _Candidate:
    line: int
    account: ImportedAccount
    has_own_id: bool

    @property
    def email(self) -> str:
        return self.account.new.email_canonical

    @property
    def id(self) -> UUID:
        return self.account.new.id


@dataclass(frozen=True, slots=True)
class ImportUsers:
    """Imports users, a transaction for each thousand. An account that is there is never changed.

    So it can be run again on the same rows, whatever ended it before: what is in is passed over, and the rest goes in.
    Nobody is told: there is no `UserRegistered`.

    Attributes:
        roles: What everybody gets.
    """

    storage: Database
    profile: type[BaseModel]
    roles: frozenset[str]

    async def __call__(
        self, rows: Iterable[UserRow | Refused], *, dry_run: bool = False
    ) -> AsyncGenerator[Outcome, None]:
        """Import, yielding after each transaction.

        Args:
            rows: Read as they are needed; a batch of them is in memory.
            dry_run: Check everything, look up who is there, and write nothing.

        Raises:
            StorageDown: The database does not answer. What was yielded is in.
            ConfigurationError: A temporary file cannot be written, or there is no such role.
        """
        await self._check_roles()
        with closing(FirstLines()) as first_lines:
            check = _Check(self.profile, self.roles, first_lines)
            for batch in _batches(rows):
                checked = [check(row) for row in batch]
                candidates = [row for row in checked if isinstance(row, _Candidate)]
                outcome = await self._take_over(candidates, dry_run=dry_run) if candidates else _nothing()
                refused = [*outcome.refused, *(row for row in checked if isinstance(row, Refused))]
                yield Outcome(
                    imported=outcome.imported,
                    existing=outcome.existing,
                    refused=sorted(refused, key=lambda row: row.line),
                    without_password=outcome.without_password,
                    schemes=outcome.schemes,
                )

    async def _check_roles(self) -> None:
        async with self.storage.reading() as stores:
            for name in sorted(self.roles):
                if await stores.roles.get(name) is None:
                    raise ConfigurationError(f"there is no role {name}, which new users get (WATCHWORD_DEFAULT_ROLE)")

    async def _take_over(self, candidates: Sequence[_Candidate], *, dry_run: bool) -> Outcome:
        taken = await self._taken(candidates)  # before, so that who is there costs no transaction
        new = [row for row in candidates if row.email not in taken.emails and row.id not in taken.ids]
        if new and not dry_run:
            async with self.storage.transaction() as stores:
                inserted = await stores.users.add_imported([row.account for row in new])
            if late := [row for row in new if row.id not in inserted]:  # somebody signed up in between
                taken = _joined(taken, await self._taken(late))
                new = [row for row in new if row.id in inserted]
        return _outcome(candidates, new, taken)

    async def _taken(self, candidates: Collection[_Candidate]) -> Taken:
        async with self.storage.reading() as stores:
            return await stores.users.taken(
                emails=[row.email for row in candidates], ids=[row.id for row in candidates if row.has_own_id]
            )


class _Check:
    """A row that was read → an account that could be, or why not."""

    def __init__(self, profile: type[BaseModel], roles: frozenset[str], first_lines: FirstLines) -> None:
        self._profile = profile
        self._roles = roles
        self._first_lines = first_lines
        self._schemes: set[str] = set()

    def __call__(self, row: UserRow | Refused) -> _Candidate | Refused:
        if isinstance(row, Refused):
            email = _address(row.email) if row.email is not None else None
            return Refused(row.line, email.written if email else None, row.reason)
        email = _address(row.user.email)
        if email is None:
            return Refused(row.line, None, "not an email address")
        try:
            return self._candidate(row, email)
        except BadRow as bad:
            return Refused(row.line, email.written, str(bad))
        except InvalidInput as invalid:
            return Refused(row.line, email.written, invalid.text)

    def _candidate(self, row: UserRow, email: EmailAddress) -> _Candidate:
        user = row.user
        own_id = _own_id(user)
        new = NewAccount(
            id=own_id or new_id(),
            email=email.written,
            email_canonical=email.canonical,
            password=self._password(user),
            profile=validate_profile(self._profile, user.profile),
            roles=self._roles,
        )
        keys = [email.canonical, *([f"id {own_id}"] if own_id else [])]
        before = self._first_lines.note(keys, line=row.line)
        if before is not None:
            raise BadRow(f"the address or the id is on line {before} already")
        return _Candidate(row.line, ImportedAccount(new, user.is_active, user.is_email_verified), own_id is not None)

    def _password(self, user: User) -> NewHash | None:
        if user.password_hash is None:
            return None
        encoded = canonical_hash(user.password_hash)
        if encoded is None:
            raise BadRow("a password hash of a kind that cannot be verified here")
        if scheme_of(encoded) is None:
            raise BadRow("a password hash that would cost too much to verify")
        hashed = new_hash(encoded)
        if len(self._schemes | {hashed.scheme}) > _MOST_SCHEMES:
            raise BadRow(f"a password hash of one more kind than the {_MOST_SCHEMES} that one import may have")
        self._schemes.add(hashed.scheme)
        return hashed


def _address(text: str) -> EmailAddress | None:
    try:
        return parse_email(text)
    except InvalidInput:
        return None


def _own_id(user: User) -> UUID | None:
    try:
        return UUID(user.id) if user.id is not None else None
    except ValueError:
        raise BadRow("id: not a UUID") from None


def _batches(rows: Iterable[UserRow | Refused]) -> Iterator[list[UserRow | Refused]]:
    """Rows in pieces that fit a transaction, and memory."""
    batch: list[UserRow | Refused] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += row.size if isinstance(row, UserRow) else 0
        if len(batch) == _BATCH_ROWS or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _outcome(candidates: Sequence[_Candidate], imported: Sequence[_Candidate], taken: Taken) -> Outcome:
    ids = {row.id for row in imported}
    left = [row for row in candidates if row.id not in ids]
    passwords = [row.account.new.password for row in imported]
    return Outcome(
        imported=len(imported),
        existing=sum(row.email in taken.emails for row in left),
        refused=[Refused(row.line, row.account.new.email, _ID_TAKEN) for row in left if row.email not in taken.emails],
        without_password=passwords.count(None),
        schemes=Counter(password.scheme for password in passwords if password is not None),
    )


def _nothing() -> Outcome:
    return Outcome(0, 0, [], 0, Counter())


def _joined(one: Taken, other: Taken) -> Taken:
    return Taken(one.emails | other.emails, one.ids | other.ids)
