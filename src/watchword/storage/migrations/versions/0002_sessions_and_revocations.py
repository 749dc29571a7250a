"""Sessions and revocations."""

import sqlalchemy as sa
from alembic import op

from watchword.storage.tables import UtcDateTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "watchword_session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("handle", sa.LargeBinary(16), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.String(255), nullable=False),
        sa.Column("browser_session_id", sa.Uuid()),
        sa.Column("key_thumbprint", sa.String(64)),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("lost_generations", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("amr", sa.String(255), nullable=False),
        sa.Column("auth_time", UtcDateTime(), nullable=False),
        sa.Column("user_agent", sa.String(255)),
        sa.Column("address", sa.String(45)),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("rotated_at", UtcDateTime(), nullable=False),
        sa.Column("idle_expires_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("id", name="pk_watchword_session"),
        sa.UniqueConstraint("handle", name="uq_watchword_session_handle"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["watchword_user.id"], name="fk_watchword_session_user_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_watchword_session_user_id", "watchword_session", ["user_id", "id"])
    op.create_index("ix_watchword_session_expires_at", "watchword_session", ["expires_at"])
    revoked = sa.text("revoked_at IS NOT NULL")
    op.create_index(
        "ix_watchword_session_revoked_at",
        "watchword_session",
        ["revoked_at"],
        sqlite_where=revoked,
        postgresql_where=revoked,
    )
    op.create_table(
        "watchword_revocation",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False, autoincrement=True),
        sa.Column("transaction_id", sa.BigInteger()),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("epoch", sa.Integer()),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_watchword_revocation"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_watchword_revocation_transaction_id", "watchword_revocation", ["transaction_id"])
    op.create_index("ix_watchword_revocation_subject", "watchword_revocation", ["subject", "kind"])
    op.create_index("ix_watchword_revocation_expires_at", "watchword_revocation", ["expires_at"])
