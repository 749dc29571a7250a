"""The tables, as SQLAlchemy Core. A change here comes with a migration, and a test compares the two."""

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    Uuid,
    text,
)
from sqlalchemy.engine import Dialect
from typing_extensions import override

PREFIX: Final = "watchword_"


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC. SQLite has no time zones: values go in naive and come out aware."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @override
    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    @override
    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

user = Table(
    f"{PREFIX}user",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("email", String(320), nullable=False),
    Column("email_canonical", String(320), nullable=False, unique=True),
    Column("password_hash", Text),
    # What the hash costs, without the hash: the dearest one stored sets how long a failed login takes.
    Column("password_scheme", String(64), index=True),
    Column("is_active", Boolean, nullable=False),
    Column("token_epoch", Integer, nullable=False),
    Column("profile", JSON, nullable=False),
    Column("email_verified_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    Column("last_login_at", UtcDateTime),
)

_KEY_IS_ACTIVE = text("status = 'active'")

signing_key = Table(
    f"{PREFIX}signing_key",
    metadata,
    Column("kid", String(64), primary_key=True),
    Column("algorithm", String(16), nullable=False),
    Column("status", String(16), nullable=False),
    Column("private_sealed", LargeBinary, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)
# One active key for each algorithm, whoever makes it first: two processes that start at once agree by this index.
Index(
    f"uq_{PREFIX}signing_key_active",
    signing_key.c.algorithm,
    unique=True,
    sqlite_where=_KEY_IS_ACTIVE,
    postgresql_where=_KEY_IS_ACTIVE,
)

user_id_column = user.c.id
"""For a host's own tables: `ForeignKey(user_id_column)`. A string would not resolve across two `MetaData`."""
