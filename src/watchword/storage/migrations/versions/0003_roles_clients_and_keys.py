"""Roles, clients, API keys and stored events."""

import sqlalchemy as sa
from alembic import op

from watchword.storage.clock import now
from watchword.storage.tables import UtcDateTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables, and the roles that are always there; everybody who has an account is a `user`."""
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("watchword_user", "email_canonical", type_=sa.String(320, collation="C"))
    _make_roles()
    _make_clients()
    _make_api_keys()
    _make_events()
    role = sa.table("watchword_role", sa.column("name"), sa.column("description"), sa.column("created_at"))
    for name, description in (("user", "Everything that the app declares"), ("admin", "The admin API, and everything")):
        op.execute(role.insert().values(name=name, description=description, created_at=now()))
    op.execute(
        "INSERT INTO watchword_role_scope (role, scope) VALUES ('user', '*'), ('admin', 'admin'), ('admin', '*')"
    )
    op.execute("INSERT INTO watchword_user_role (user_id, role) SELECT id, 'user' FROM watchword_user")


def _make_roles() -> None:
    op.create_table(
        "watchword_role",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("description", sa.String(255), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_watchword_role"),
    )
    op.create_table(
        "watchword_role_scope",
        sa.Column("role", sa.String(64), nullable=False),
        sa.Column("scope", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("role", "scope", name="pk_watchword_role_scope"),
        sa.ForeignKeyConstraint(
            ["role"], ["watchword_role.name"], name="fk_watchword_role_scope_role", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "watchword_user_role",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "role", name="pk_watchword_user_role"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["watchword_user.id"], name="fk_watchword_user_role_user_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["role"], ["watchword_role.name"], name="fk_watchword_user_role_role", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_watchword_user_role_role", "watchword_user_role", ["role", "user_id"])


def _make_clients() -> None:
    op.create_table(
        "watchword_client",
        sa.Column("id", sa.String(255), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("grants", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("auth_method", sa.String(32), nullable=False),
        sa.Column("jwks", sa.JSON()),
        sa.Column("access_token_seconds", sa.Integer()),
        sa.Column("refresh_idle_seconds", sa.Integer()),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_watchword_client"),
    )
    op.create_table(
        "watchword_client_secret",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.String(255), nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("id", name="pk_watchword_client_secret"),
        sa.ForeignKeyConstraint(
            ["client_id"], ["watchword_client.id"], name="fk_watchword_client_secret_client_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_watchword_client_secret_client_id", "watchword_client_secret", ["client_id"])
    op.create_table(
        "watchword_redirect_uri",
        sa.Column("client_id", sa.String(255), nullable=False),
        sa.Column("uri", sa.String(2000), nullable=False),
        sa.PrimaryKeyConstraint("client_id", "uri", name="pk_watchword_redirect_uri"),
        sa.ForeignKeyConstraint(
            ["client_id"], ["watchword_client.id"], name="fk_watchword_redirect_uri_client_id", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "watchword_client_assertion",
        sa.Column("client_id", sa.String(255), nullable=False),
        sa.Column("jti_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("client_id", "jti_digest", name="pk_watchword_client_assertion"),
        sa.ForeignKeyConstraint(
            ["client_id"], ["watchword_client.id"], name="fk_watchword_client_assertion_client_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_watchword_client_assertion_expires_at", "watchword_client_assertion", ["expires_at"])


def _make_api_keys() -> None:
    op.create_table(
        "watchword_api_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("hint", sa.String(16), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("user_id", sa.Uuid()),
        sa.Column("client_id", sa.String(255)),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("last_used_at", UtcDateTime()),
        sa.Column("revoked_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("id", name="pk_watchword_api_key"),
        sa.UniqueConstraint("digest", name="uq_watchword_api_key_digest"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["watchword_user.id"], name="fk_watchword_api_key_user_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["client_id"], ["watchword_client.id"], name="fk_watchword_api_key_client_id", ondelete="CASCADE"
        ),
        sa.CheckConstraint("(user_id IS NULL) <> (client_id IS NULL)", name="ck_watchword_api_key_owner"),
    )
    op.create_index("ix_watchword_api_key_user_id", "watchword_api_key", ["user_id", "id"])
    op.create_index("ix_watchword_api_key_client_id", "watchword_api_key", ["client_id", "id"])
    op.create_index("ix_watchword_api_key_expires_at", "watchword_api_key", ["expires_at"])


def _make_events() -> None:
    op.create_table(
        "watchword_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.String(255)),
        sa.Column("user_id", sa.Uuid()),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_watchword_event"),
    )
    op.create_index("ix_watchword_event_at", "watchword_event", ["at"])
    op.create_index("ix_watchword_event_user_id", "watchword_event", ["user_id", "id"])
