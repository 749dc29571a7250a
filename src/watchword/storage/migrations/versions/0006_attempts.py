"""Failures to tell a secret, counted for each account."""

import sqlalchemy as sa
from alembic import op

from watchword.storage.tables import UtcDateTime

revision = "0006"
down_revision = "0004"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "watchword_attempt",
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("key", sa.LargeBinary(32), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_failed_at", UtcDateTime(), nullable=False),
        sa.Column("blocked_until", UtcDateTime()),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "key", name="pk_watchword_attempt"),
    )
    op.create_index("ix_watchword_attempt_last_failed_at", "watchword_attempt", ["last_failed_at"])
