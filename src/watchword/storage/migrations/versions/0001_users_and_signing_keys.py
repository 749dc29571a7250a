"""Users and signing keys."""

import sqlalchemy as sa
from alembic import op

from watchword.storage.tables import UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "watchword_user",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(320), nullable=False),
        sa.Column("email_canonical", sa.String(320), nullable=False),
        sa.Column("password_hash", sa.Text()),
        sa.Column("password_scheme", sa.String(64)),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("token_epoch", sa.Integer(), nullable=False),
        sa.Column("profile", sa.JSON(), nullable=False),
        sa.Column("email_verified_at", UtcDateTime()),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("last_login_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("id", name="pk_watchword_user"),
        sa.UniqueConstraint("email_canonical", name="uq_watchword_user_email_canonical"),
    )
    op.create_index("ix_watchword_user_password_scheme", "watchword_user", ["password_scheme"])
    op.create_table(
        "watchword_signing_key",
        sa.Column("kid", sa.String(64), nullable=False),
        sa.Column("algorithm", sa.String(16), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("private_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("kid", name="pk_watchword_signing_key"),
    )
    active = sa.text("status = 'active'")
    op.create_index(
        "uq_watchword_signing_key_active",
        "watchword_signing_key",
        ["algorithm"],
        unique=True,
        sqlite_where=active,
        postgresql_where=active,
    )
