"""Make roles, change what they allow, and give them to users. What changes is in force at once."""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from watchword.errors import InvalidInput, NotFound
from watchword.events import OPERATOR, By, Events, RoleChanged, RoleDeleted, RoleGiven, RoleTaken
from watchword.model import Account, Role
from watchword.settings import ROLE_NAME, check_role_scopes
from watchword.storage import Database

_log: Final = logging.getLogger("watchword.roles")
_LONGEST_DESCRIPTION: Final = 255


@dataclass(frozen=True, slots=True)
class ManageRoles:
    """Everything about roles.

    Attributes:
        default: The role of new users, which cannot be deleted; None if they get none.
    """

    storage: Database
    events: Events
    default: str | None

    async def create(self, role: Role, *, by: By = OPERATOR) -> Role:
        """Make a role.

        Raises:
            InvalidInput: The name or a scope cannot be used, or there is such a role.
            StorageDown: The database does not answer.
        """
        _check(role)
        async with self.storage.transaction() as stores:
            added = await stores.roles.add(role)
        if not added:
            raise InvalidInput(text=f"There is a role {role.name} already")
        await self.events.emit(
            RoleChanged(role=role.name, scopes=tuple(sorted(role.scopes)), actor=by.actor, device=by.device)
        )
        return role

    async def seed(self, roles: Mapping[str, Collection[str]]) -> None:
        """Make the roles that there are not yet; those that there are keep what they allow, and the log says so."""
        for name, scopes in roles.items():
            async with self.storage.reading() as stores:
                there = await stores.roles.get(name)
            if there is None:
                async with self.storage.transaction() as stores:
                    await stores.roles.add(Role(name, "", frozenset(scopes)))
            elif there.scopes != frozenset(scopes):
                _log.warning("role %s allows %s, and not what WATCHWORD_ROLES says", name, sorted(there.scopes))

    async def exists(self, name: str) -> bool:
        """Whether there is such a role."""
        async with self.storage.reading() as stores:
            return await stores.roles.get(name) is not None

    async def page(self, *, after: str | None, limit: int) -> Sequence[Role]:
        """The next roles by name."""
        async with self.storage.reading() as stores:
            return await stores.roles.page(after=after, limit=limit)

    async def replace_scopes(self, name: str, scopes: Collection[str], *, by: By = OPERATOR) -> Role:
        """Let a role allow these scopes and no others, for all who have it.

        Raises:
            InvalidInput: A scope cannot be used.
            NotFound: There is no such role.
            StorageDown: The database does not answer.
        """
        _check_scopes(scopes)
        async with self.storage.transaction() as stores:
            await stores.roles.replace_scopes(name, scopes)
            changed = await stores.roles.get(name)
        if changed is None:
            raise _no_role()
        await self.events.emit(
            RoleChanged(role=name, scopes=tuple(sorted(changed.scopes)), actor=by.actor, device=by.device)
        )
        return changed

    async def delete(self, name: str, *, by: By = OPERATOR) -> None:
        """Delete a role, and take it from all who have it.

        Raises:
            InvalidInput: It is the role of new users.
            NotFound: There is no such role.
            StorageDown: The database does not answer.
        """
        if name == self.default:
            raise InvalidInput(text=f"New users get the role {name}: set another WATCHWORD_DEFAULT_ROLE first")
        async with self.storage.transaction() as stores:
            deleted = await stores.roles.delete(name)
        if not deleted:
            raise _no_role()
        await self.events.emit(RoleDeleted(role=name, actor=by.actor, device=by.device))

    async def give(self, user_id: UUID, name: str, *, by: By = OPERATOR) -> Account:
        """Give a user a role; whoever has it already keeps it.

        Raises:
            NotFound: There is no such user or role.
            StorageDown: The database does not answer.
        """
        async with self.storage.transaction() as stores:
            if await stores.roles.get(name, hold=True) is None:
                raise _no_role()
            if await stores.users.touch(user_id) is None:
                raise _no_user()
            given = await stores.roles.give(user_id, [name])
            account = await stores.users.get(user_id)
        assert account is not None, "it is locked"
        if given:
            await self.events.emit(RoleGiven(user_id=user_id, role=name, actor=by.actor, device=by.device))
        return account

    async def take(self, user_id: UUID, name: str, *, by: By = OPERATOR) -> Account:
        """Take a role from a user: their tokens lose its scopes at once. Who does not have it is left alone.

        Raises:
            NotFound: There is no such user.
            StorageDown: The database does not answer.
        """
        async with self.storage.transaction() as stores:
            if await stores.users.touch(user_id) is None:
                raise _no_user()
            taken = await stores.roles.take(user_id, name)
            account = await stores.users.get(user_id)
        assert account is not None, "it is locked"
        if taken:
            await self.events.emit(RoleTaken(user_id=user_id, role=name, actor=by.actor, device=by.device))
        return account

    async def members(self, name: str, *, after: UUID | None, limit: int) -> Sequence[Account]:
        """The next users who have a role, by id.

        Raises:
            NotFound: There is no such role.
            StorageDown: The database does not answer.
        """
        async with self.storage.reading() as stores:
            if await stores.roles.get(name) is None:
                raise _no_role()
            ids = await stores.roles.members(name, after=after, limit=limit)
            accounts = [await stores.users.get(user_id) for user_id in ids]
        return [account for account in accounts if account is not None]


def _check(role: Role) -> None:
    if not ROLE_NAME.fullmatch(role.name):
        raise InvalidInput(text="A role's name is up to 64 letters, digits and _ . : -, a letter or digit first")
    if len(role.description) > _LONGEST_DESCRIPTION or not (role.description.isprintable()):
        raise InvalidInput(text="A role's description is up to 255 printable characters")
    _check_scopes(role.scopes)


def _check_scopes(scopes: Collection[str]) -> None:
    try:
        check_role_scopes(scopes)
    except ValueError as error:
        said = str(error)
        raise InvalidInput("what a role cannot allow", text=said[:1].upper() + said[1:]) from None


def _no_role() -> NotFound:
    return NotFound("no such role", text="There is no such role")


def _no_user() -> NotFound:
    return NotFound("no such user", text="There is no such user")
