"""The role store: named sets of scopes, and who has them. What changes is told to those who remember a user."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final
from uuid import UUID

from sqlalchemy import String, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from watchword.model import Role
from watchword.storage.clock import now
from watchword.storage.revocations import RevocationStore
from watchword.storage.statements import insert_for
from watchword.storage.tables import role, role_scope, user_role


class _Joined(FunctionElement[str]):
    """A list as one text, its parts separated by spaces; NULL if it is empty.

    Written out: SQLAlchemy leaves the tables' names out of what SQLite returns, in subqueries too, and there they are
    what tells one `role` from another.
    """

    type = String()
    inherit_cache = True
    sql: ClassVar[str]


@compiles(_Joined, "postgresql")
def _postgresql(element: _Joined, _compiler: SQLCompiler, **_options: Any) -> str:  # noqa: ANN401
    return element.sql.format(join="string_agg")


@compiles(_Joined, "sqlite")
def _sqlite(element: _Joined, _compiler: SQLCompiler, **_options: Any) -> str:  # noqa: ANN401
    return element.sql.format(join="group_concat")


class roles_of_user(_Joined):  # noqa: N801 — reads as the column it is
    """The names of the roles of the `user` that a statement is about."""

    inherit_cache = True
    sql = "(SELECT {join}(ur.role, ' ') FROM watchword_user_role AS ur WHERE ur.user_id = watchword_user.id)"


class scopes_of_user(_Joined):  # noqa: N801
    """What these roles allow."""

    inherit_cache = True
    sql = """(SELECT {join}(rs.scope, ' ') FROM watchword_role_scope AS rs
        JOIN watchword_user_role AS ur ON ur.role = rs.role WHERE ur.user_id = watchword_user.id)"""


class scopes_of_sessions_user(_Joined):  # noqa: N801
    """What the roles of the user of a `session` allow."""

    inherit_cache = True
    sql = """(SELECT {join}(rs.scope, ' ') FROM watchword_role_scope AS rs
        JOIN watchword_user_role AS ur ON ur.role = rs.role WHERE ur.user_id = watchword_session.user_id)"""


class scopes_of_role(_Joined):  # noqa: N801
    """What a `role` allows."""

    inherit_cache = True
    sql = "(SELECT {join}(rs.scope, ' ') FROM watchword_role_scope AS rs WHERE rs.role = watchword_role.name)"


_ROLE: Final = (role.c.name, role.c.description, scopes_of_role().label("scopes"))


@dataclass(frozen=True, slots=True)
class RoleStore:
    """Reads and writes roles on one connection."""

    _connection: AsyncConnection
    _revocations: RevocationStore

    async def get(self, name: str, *, hold: bool = False) -> Role | None:
        """The role with this name; None if there is none.

        Args:
            name: Its name.
            hold: Whether nobody may delete it before the transaction ends, because somebody is about to get it.
        """
        statement = select(*_ROLE).where(role.c.name == name)
        if hold:
            statement = statement.with_for_update(read=True, key_share=True)
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else _role(row)

    async def page(self, *, after: str | None, limit: int) -> Sequence[Role]:
        """The next roles by name."""
        statement = select(*_ROLE).order_by(role.c.name).limit(limit)
        if after is not None:
            statement = statement.where(role.c.name > after)
        return [_role(row) for row in await self._connection.execute(statement)]

    async def add(self, new: Role) -> bool:
        """Make a role. False if there is one of that name, which stays as it is."""
        statement = (
            insert_for(self._connection, role)
            .values(name=new.name, description=new.description, created_at=now())
            .on_conflict_do_nothing()
        )
        if (await self._connection.execute(statement)).rowcount != 1:
            return False
        await self._add_scopes(new.name, new.scopes)
        return True

    async def replace_scopes(self, name: str, scopes: Collection[str]) -> bool:
        """Let a role mean other scopes, for all who have it. False if there is no such role."""
        # The row is locked, so that of two who replace at once the second replaces what the first wrote.
        locked = select(role.c.name).where(role.c.name == name).with_for_update()
        if (await self._connection.execute(locked)).one_or_none() is None:
            return False
        await self._connection.execute(delete(role_scope).where(role_scope.c.role == name))
        await self._add_scopes(name, scopes)
        await self._revocations.role(name)
        return True

    async def delete(self, name: str) -> bool:
        """Delete a role, and take it from all who have it. False if there was none."""
        if (await self._connection.execute(delete(role).where(role.c.name == name))).rowcount != 1:
            return False
        await self._revocations.role(name)
        return True

    async def give(self, user_id: UUID, names: Collection[str]) -> frozenset[str]:
        """Give a user roles that there are; those that they did not have."""
        given = set()
        for name in sorted(names):
            statement = (
                insert_for(self._connection, user_role).values(user_id=user_id, role=name).on_conflict_do_nothing()
            )
            if (await self._connection.execute(statement)).rowcount == 1:
                given.add(name)
        return frozenset(given)

    async def take(self, user_id: UUID, name: str) -> bool:
        """Take a role from a user. False if they did not have it."""
        statement = delete(user_role).where(user_role.c.user_id == user_id, user_role.c.role == name)
        return (await self._connection.execute(statement)).rowcount == 1

    async def members(self, name: str, *, after: UUID | None, limit: int) -> Sequence[UUID]:
        """The next users who have a role, by id."""
        statement = select(user_role.c.user_id).where(user_role.c.role == name)
        if after is not None:
            statement = statement.where(user_role.c.user_id > after)
        rows = await self._connection.execute(statement.order_by(user_role.c.user_id).limit(limit))
        return rows.scalars().all()

    async def _add_scopes(self, name: str, scopes: Collection[str]) -> None:
        if scopes:
            rows = [{"role": name, "scope": scope} for scope in sorted(scopes)]
            await self._connection.execute(role_scope.insert().values(rows))


def _role(row: Any) -> Role:  # noqa: ANN401 — a row with these columns
    return Role(row.name, row.description, frozenset((row.scopes or "").split()))
