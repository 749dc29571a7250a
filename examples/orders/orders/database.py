"""The app's own tables, in the database where Watchword keeps its users."""

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import Depends
from sqlalchemy import ForeignKey, String, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from orders.accounts import auth
from watchword import user_id_column


class Base(DeclarativeBase):
    pass


class Order(Base):
    """What a user wants. A user who has orders cannot be deleted."""

    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey(user_id_column), index=True)
    item: Mapped[str] = mapped_column(String(200))
    quantity: Mapped[int]
    address: Mapped[str] = mapped_column(String(500))


engine = create_async_engine(auth.settings.database_url.get_secret_value())
sessions = async_sessionmaker(engine, expire_on_commit=False)


@event.listens_for(engine.sync_engine, "connect")
def enforce_foreign_keys(connection: DBAPIConnection, _record: object) -> None:
    """SQLite checks foreign keys only where it is told to."""
    if engine.dialect.name == "sqlite":
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()


async def _session() -> AsyncIterator[AsyncSession]:
    async with sessions() as session:
        yield session


Session = Annotated[AsyncSession, Depends(_session)]
