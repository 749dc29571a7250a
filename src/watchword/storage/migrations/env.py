"""Run by Alembic: migrates over the connection that `watchword.storage.schema` hands in, in its transaction."""

from alembic import context

from watchword.storage.schema import VERSION_TABLE
from watchword.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
