"""Links that are good once, and the outbox."""

import sqlalchemy as sa
from alembic import op

from watchword.storage.tables import UtcDateTime

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "watchword_one_time_token",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(32), nullable=False),
        sa.Column("user_id", sa.Uuid()),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("email", sa.String(320), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_watchword_one_time_token"),
        sa.UniqueConstraint("digest", name="uq_watchword_one_time_token_digest"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["watchword_user.id"], name="fk_watchword_one_time_token_user_id", ondelete="CASCADE"
        ),
    )
    for column in ("user_id", "email", "expires_at"):
        op.create_index(f"ix_watchword_one_time_token_{column}", "watchword_one_time_token", [column])
    op.create_table(
        "watchword_outbox",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("payload_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", UtcDateTime()),
        sa.Column("last_error", sa.String(255)),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_watchword_outbox"),
    )
    op.create_index("ix_watchword_outbox_next_attempt_at", "watchword_outbox", ["next_attempt_at"])
