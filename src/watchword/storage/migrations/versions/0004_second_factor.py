"""The second factor: one-time codes, recovery codes, and the pending tokens that were traded."""

import sqlalchemy as sa
from alembic import op

from watchword.storage.tables import UtcDateTime

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables; nobody has a second factor yet."""
    op.add_column("watchword_user", sa.Column("second_factor_since", UtcDateTime()))
    op.create_table(
        "watchword_totp",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary()),
        sa.Column("pending_sealed", sa.LargeBinary()),
        sa.Column("last_step", sa.BigInteger()),
        sa.PrimaryKeyConstraint("user_id", name="pk_watchword_totp"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["watchword_user.id"], name="fk_watchword_totp_user_id", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "watchword_recovery_code",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("used_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("id", name="pk_watchword_recovery_code"),
        sa.UniqueConstraint("digest", name="uq_watchword_recovery_code_digest"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["watchword_user.id"], name="fk_watchword_recovery_code_user_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_watchword_recovery_code_user_id", "watchword_recovery_code", ["user_id"])
    op.create_table(
        "watchword_pending_token",
        sa.Column("jti_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("jti_digest", name="pk_watchword_pending_token"),
    )
    op.create_index("ix_watchword_pending_token_expires_at", "watchword_pending_token", ["expires_at"])
