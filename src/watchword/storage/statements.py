"""What the stores say in SQL again and again."""

from datetime import datetime

from sqlalchemy import ColumnElement, Table, case, literal
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection


def insert_for(connection: AsyncConnection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """The dialect's INSERT, which has ON CONFLICT."""
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


def has_scope(scopes: ColumnElement[str], scope: str) -> ColumnElement[bool]:
    """Whether a column of scopes, separated by spaces, has one."""
    return literal(" ").concat(scopes).concat(" ").contains(f" {scope} ", autoescape=True)


def earlier(one: ColumnElement[datetime], other: ColumnElement[datetime]) -> ColumnElement[datetime]:
    """The earlier of two moments."""
    return case((one < other, one), else_=other)
