"""When a signing key began to sign, and when it stopped."""

import sqlalchemy as sa
from alembic import op

from watchword.storage.tables import UtcDateTime

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Keys that are there have signed since they were made."""
    op.add_column("watchword_signing_key", sa.Column("activated_at", UtcDateTime()))
    op.add_column("watchword_signing_key", sa.Column("retired_at", UtcDateTime()))
    op.execute("UPDATE watchword_signing_key SET activated_at = created_at")
    is_next = sa.text("status = 'next'")
    op.create_index(
        "uq_watchword_signing_key_next",
        "watchword_signing_key",
        ["algorithm"],
        unique=True,
        sqlite_where=is_next,
        postgresql_where=is_next,
    )
