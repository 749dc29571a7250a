"""The database's clock, so that several machines agree on time."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Float, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from watchword.storage.tables import UtcDateTime


class now(FunctionElement[datetime]):  # noqa: N801 — reads as the SQL function it is
    """The current moment, UTC, as the database sees it: the same wherever one statement asks."""

    type = UtcDateTime()
    inherit_cache = True


@compiles(now, "postgresql")
def _postgresql(_element: now, _compiler: SQLCompiler, **_options: Any) -> str:  # noqa: ANN401
    return "statement_timestamp()"


@compiles(now, "sqlite")
def _sqlite(_element: now, _compiler: SQLCompiler, **_options: Any) -> str:  # noqa: ANN401
    # The format SQLAlchemy stores and reads back: microseconds, no zone.
    return "strftime('%Y-%m-%d %H:%M:%f000', 'now')"


class after(FunctionElement[datetime]):  # noqa: N801
    """The moment so long after now, UTC, as the database sees it; before now, if negative.

    Args:
        delay: How long; or a parameter or column that holds the seconds.
    """

    type = UtcDateTime()
    inherit_cache = True

    def __init__(self, delay: "timedelta | ColumnElement[float]") -> None:
        seconds = bindparam(None, delay.total_seconds(), type_=Float()) if isinstance(delay, timedelta) else delay
        super().__init__(seconds)


@compiles(after, "postgresql")
def _after_postgresql(element: after, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401
    return f"(statement_timestamp() + make_interval(secs => {compiler.process(element.clauses, **options)}))"


@compiles(after, "sqlite")
def _after_sqlite(element: after, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401
    seconds = compiler.process(element.clauses, **options)
    return f"strftime('%Y-%m-%d %H:%M:%f000', 'now', {seconds} || ' seconds')"
