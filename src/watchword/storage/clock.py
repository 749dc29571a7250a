"""The database's clock, so that several machines agree on time."""

from datetime import datetime
from typing import Any

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from watchword.storage.tables import UtcDateTime


class now(FunctionElement[datetime]):  # noqa: N801 — reads as the SQL function it is
    """The current moment, UTC, as the database sees it."""

    type = UtcDateTime()
    inherit_cache = True


@compiles(now, "postgresql")
def _postgresql(_element: now, _compiler: SQLCompiler, **_options: Any) -> str:  # noqa: ANN401
    return "clock_timestamp()"


@compiles(now, "sqlite")
def _sqlite(_element: now, _compiler: SQLCompiler, **_options: Any) -> str:  # noqa: ANN401
    # The format SQLAlchemy stores and reads back: microseconds, no zone.
    return "strftime('%Y-%m-%d %H:%M:%f000', 'now')"
