"""Logins in browsers, and what they give to third parties: codes, consents, word of logouts."""

import sqlalchemy as sa
from alembic import op

from watchword.storage.tables import UtcDateTime

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the tables. Clients that are there are third parties whose ID tokens RS256 will sign."""
    op.add_column("watchword_session", sa.Column("audience", sa.String(2000)))
    is_of_a_browser = sa.text("browser_session_id IS NOT NULL")
    op.create_index(
        "ix_watchword_session_browser_session_id",
        "watchword_session",
        ["browser_session_id"],
        sqlite_where=is_of_a_browser,
        postgresql_where=is_of_a_browser,
    )
    for column in (
        sa.Column("is_first_party", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("id_token_algorithm", sa.String(16), nullable=False, server_default="RS256"),
        sa.Column("post_logout_redirect_uris", sa.Text(), nullable=False, server_default=""),
        sa.Column("backchannel_logout_uri", sa.String(2000)),
        sa.Column("resources", sa.Text(), nullable=False, server_default=""),
    ):
        op.add_column("watchword_client", column)
    _browser_sessions()
    _codes()
    _consents()
    _logout_notices()


def _browser_sessions() -> None:
    op.create_table(
        "watchword_browser_session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("amr", sa.String(255), nullable=False),
        sa.Column("auth_time", UtcDateTime(), nullable=False),
        sa.Column("user_agent", sa.String(255)),
        sa.Column("address", sa.String(45)),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("last_used_at", UtcDateTime(), nullable=False),
        sa.Column("idle_expires_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_watchword_browser_session"),
        sa.UniqueConstraint("digest", name="uq_watchword_browser_session_digest"),
        _to_user("browser_session"),
    )
    op.create_index("ix_watchword_browser_session_user_id", "watchword_browser_session", ["user_id", "id"])
    op.create_index("ix_watchword_browser_session_expires_at", "watchword_browser_session", ["expires_at"])


def _codes() -> None:
    op.create_table(
        "watchword_authorization_code",
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("client_id", sa.String(255), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("browser_session_id", sa.Uuid(), nullable=False),
        sa.Column("redirect_uri", sa.String(2000), nullable=False),
        sa.Column("code_challenge", sa.String(43), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("audience", sa.String(2000)),
        sa.Column("nonce", sa.String(255)),
        sa.Column("claims", sa.JSON()),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("redeemed_at", UtcDateTime()),
        sa.Column("session_id", sa.Uuid()),
        sa.PrimaryKeyConstraint("digest", name="pk_watchword_authorization_code"),
        _to_client("authorization_code"),
        _to_user("authorization_code"),
    )
    op.create_index("ix_watchword_authorization_code_user_id", "watchword_authorization_code", ["user_id"])
    op.create_index("ix_watchword_authorization_code_expires_at", "watchword_authorization_code", ["expires_at"])


def _consents() -> None:
    op.create_table(
        "watchword_consent",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.String(255), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "client_id", name="pk_watchword_consent"),
        _to_user("consent"),
        _to_client("consent"),
    )
    op.create_index("ix_watchword_consent_client_id", "watchword_consent", ["client_id"])


def _logout_notices() -> None:
    op.create_table(
        "watchword_logout_notice",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.String(255), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", UtcDateTime()),
        sa.Column("last_error", sa.String(255)),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("session_id", name="pk_watchword_logout_notice"),
        _to_client("logout_notice"),
    )
    op.create_index("ix_watchword_logout_notice_client_id", "watchword_logout_notice", ["client_id"])
    op.create_index("ix_watchword_logout_notice_next_attempt_at", "watchword_logout_notice", ["next_attempt_at"])


def _to_user(table: str) -> sa.ForeignKeyConstraint:
    name = f"fk_watchword_{table}_user_id"
    return sa.ForeignKeyConstraint(["user_id"], ["watchword_user.id"], name=name, ondelete="CASCADE")


def _to_client(table: str) -> sa.ForeignKeyConstraint:
    name = f"fk_watchword_{table}_client_id"
    return sa.ForeignKeyConstraint(["client_id"], ["watchword_client.id"], name=name, ondelete="CASCADE")
