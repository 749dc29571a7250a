"""Run by Alembic, over the app's own engine settings."""

import asyncio

from alembic import context
from sqlalchemy import Connection, pool
from sqlalchemy.ext.asyncio import create_async_engine

from orders.accounts import auth
from orders.database import Base


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        # Watchword migrates its own tables: --autogenerate must not see them, or it would drop them.
        include_name=lambda name, type_, _parents: type_ != "table" or not str(name).startswith("watchword_"),
        render_as_batch=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def connect() -> None:
    engine = create_async_engine(auth.settings.database_url.get_secret_value(), poolclass=pool.NullPool)
    async with engine.begin() as connection:
        await connection.run_sync(migrate)


asyncio.run(connect())
