"""The tables, as SQLAlchemy Core. A change here comes with a migration, and a test compares the two."""

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    Uuid,
    false,
    text,
)
from sqlalchemy.engine import Dialect
from typing_extensions import override

PREFIX: Final = "watchword_"


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC. SQLite has no time zones: values go in naive and come out aware."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @override
    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    @override
    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

user = Table(
    f"{PREFIX}user",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("email", String(320), nullable=False),
    # It compares by bytes, as on SQLite, so that an index serves whoever asks how an address begins.
    Column(
        "email_canonical",
        String(320).with_variant(String(320, collation="C"), "postgresql"),
        nullable=False,
        unique=True,
    ),
    Column("password_hash", Text),
    # What the hash costs, without the hash: the dearest one stored sets how long a failed login takes.
    Column("password_scheme", String(64), index=True),
    Column("is_active", Boolean, nullable=False),
    Column("token_epoch", Integer, nullable=False),
    Column("profile", JSON, nullable=False),
    Column("email_verified_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    Column("last_login_at", UtcDateTime),
    # When the second factor in force was confirmed. On this row, so that the one statement which completes a login can
    # compare it: it changes with the factor, under the lock of the row.
    Column("second_factor_since", UtcDateTime),
)

signing_key = Table(
    f"{PREFIX}signing_key",
    metadata,
    Column("kid", String(64), primary_key=True),
    Column("algorithm", String(16), nullable=False),
    Column("status", String(16), nullable=False),
    Column("private_sealed", LargeBinary, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("activated_at", UtcDateTime),
    Column("retired_at", UtcDateTime),
)
# One key for each algorithm that signs, and one that will, whoever makes it first: two processes agree by these.
for _status in ("active", "next"):
    Index(
        f"uq_{PREFIX}signing_key_{_status}",
        signing_key.c.algorithm,
        unique=True,
        sqlite_where=text(f"status = '{_status}'"),
        postgresql_where=text(f"status = '{_status}'"),
    )

# A refresh changes no indexed column, so that PostgreSQL can keep the new row beside the old one (HOT).
session = Table(
    f"{PREFIX}session",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("handle", LargeBinary(16), nullable=False, unique=True),
    Column("user_id", Uuid, ForeignKey(user.c.id, ondelete="CASCADE"), nullable=False),
    Column("client_id", String(255), nullable=False),
    # The login at our pages that it came from, and ends with unless its scope has offline_access.
    Column("browser_session_id", Uuid),
    Column("key_thumbprint", String(64)),
    # The resource that its access tokens are for (RFC 8707), where that is not this installation.
    Column("audience", String(2000)),
    Column("generation", Integer, nullable=False),
    Column("lost_generations", Integer, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("scope", Text, nullable=False),
    Column("amr", String(255), nullable=False),
    Column("auth_time", UtcDateTime, nullable=False),
    Column("user_agent", String(255)),
    Column("address", String(45)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("rotated_at", UtcDateTime, nullable=False),
    Column("idle_expires_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    Column("revoked_at", UtcDateTime),
)
Index(f"ix_{PREFIX}session_user_id", session.c.user_id, session.c.id)
Index(
    f"ix_{PREFIX}session_revoked_at",
    session.c.revoked_at,
    sqlite_where=session.c.revoked_at.is_not(None),
    postgresql_where=session.c.revoked_at.is_not(None),
)
Index(
    f"ix_{PREFIX}session_browser_session_id",
    session.c.browser_session_id,
    sqlite_where=session.c.browser_session_id.is_not(None),
    postgresql_where=session.c.browser_session_id.is_not(None),
)

revocation = Table(
    f"{PREFIX}revocation",
    metadata,
    # On SQLite followers go by the id: it must never come again, as plain row ids do after a deletion.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    # On PostgreSQL ids are handed out before commits: followers go by what their snapshot sees.
    Column("transaction_id", BigInteger, index=True),
    Column("kind", String(16), nullable=False),
    Column("subject", String(255), nullable=False),
    Column("epoch", Integer),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    Index(f"ix_{PREFIX}revocation_subject", "subject", "kind"),
    sqlite_autoincrement=True,
)

role = Table(
    f"{PREFIX}role",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("description", String(255), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

role_scope = Table(
    f"{PREFIX}role_scope",
    metadata,
    Column("role", String(64), ForeignKey(role.c.name, ondelete="CASCADE"), primary_key=True),
    Column("scope", String(255), primary_key=True),
)

user_role = Table(
    f"{PREFIX}user_role",
    metadata,
    Column("user_id", Uuid, ForeignKey(user.c.id, ondelete="CASCADE"), primary_key=True),
    Column("role", String(64), ForeignKey(role.c.name, ondelete="CASCADE"), primary_key=True),
    Index(f"ix_{PREFIX}user_role_role", "role", "user_id"),
)

client = Table(
    f"{PREFIX}client",
    metadata,
    Column("id", String(255), primary_key=True),
    Column("name", String(255), nullable=False),
    Column("is_public", Boolean, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("grants", Text, nullable=False),
    Column("scope", Text, nullable=False),
    # How it authenticates (RFC 7591 §2), and with private_key_jwt its public keys.
    Column("auth_method", String(32), nullable=False),
    Column("jwks", JSON),
    Column("access_token_seconds", Integer),
    Column("refresh_idle_seconds", Integer),
    # Whether it is the host's own, which people are not asked to consent to.
    Column("is_first_party", Boolean, nullable=False, server_default=false()),
    # What signs its ID tokens (OpenID Connect Registration §2), and where it is told of logouts.
    Column("id_token_algorithm", String(16), nullable=False, server_default="RS256"),
    Column("post_logout_redirect_uris", Text, nullable=False, server_default=""),
    Column("backchannel_logout_uri", String(2000)),
    # Other resources that it may ask tokens for (RFC 8707).
    Column("resources", Text, nullable=False, server_default=""),
    Column("created_at", UtcDateTime, nullable=False),
)

client_secret = Table(
    f"{PREFIX}client_secret",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("client_id", String(255), ForeignKey(client.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("digest", LargeBinary(32), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
)

redirect_uri = Table(
    f"{PREFIX}redirect_uri",
    metadata,
    Column("client_id", String(255), ForeignKey(client.c.id, ondelete="CASCADE"), primary_key=True),
    Column("uri", String(2000), primary_key=True),
)

# The `jti` of assertions that clients authenticated with (RFC 7523 §3): each is good once.
client_assertion = Table(
    f"{PREFIX}client_assertion",
    metadata,
    Column("client_id", String(255), ForeignKey(client.c.id, ondelete="CASCADE"), primary_key=True),
    Column("jti_digest", LargeBinary(32), primary_key=True),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
)

api_key = Table(
    f"{PREFIX}api_key",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("hint", String(16), nullable=False),
    Column("name", String(255), nullable=False),
    # Whose it is: a user's or a client's, never both.
    Column("user_id", Uuid, ForeignKey(user.c.id, ondelete="CASCADE")),
    Column("client_id", String(255), ForeignKey(client.c.id, ondelete="CASCADE")),
    Column("scope", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    Column("last_used_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    CheckConstraint("(user_id IS NULL) <> (client_id IS NULL)", name="owner"),
    Index(f"ix_{PREFIX}api_key_user_id", "user_id", "id"),
    Index(f"ix_{PREFIX}api_key_client_id", "client_id", "id"),
)

# Seeds are sealed; the pending one is in force once a code of it was confirmed.
totp = Table(
    f"{PREFIX}totp",
    metadata,
    Column("user_id", Uuid, ForeignKey(user.c.id, ondelete="CASCADE"), primary_key=True),
    Column("secret_sealed", LargeBinary),
    Column("pending_sealed", LargeBinary),
    # The time step of the last code that was used (RFC 6238 §5.2): neither it nor an earlier one is good again.
    Column("last_step", BigInteger),
)

recovery_code = Table(
    f"{PREFIX}recovery_code",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("user_id", Uuid, ForeignKey(user.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("used_at", UtcDateTime),
)

# The `jti` of pending tokens that were traded: each is good once.
pending_token = Table(
    f"{PREFIX}pending_token",
    metadata,
    Column("jti_digest", LargeBinary(32), primary_key=True),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
)

# Failures to tell a secret. The key is a MAC of whose account it is: addresses without one are counted too.
attempt = Table(
    f"{PREFIX}attempt",
    metadata,
    Column("kind", String(32), primary_key=True),
    Column("key", LargeBinary(32), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_failed_at", UtcDateTime, nullable=False, index=True),
    Column("blocked_until", UtcDateTime),
    # How many were refused unheard since then.
    Column("refused", Integer, nullable=False),
)

event = Table(
    f"{PREFIX}event",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", String(64), nullable=False),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("actor", String(255)),
    Column("user_id", Uuid),
    Column("fields", JSON, nullable=False),
    Index(f"ix_{PREFIX}event_user_id", "user_id", "id"),
)

# What a mailed link carries, good once. Of a sign-up that is not confirmed there is this row alone, and no user.
one_time_token = Table(
    f"{PREFIX}one_time_token",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("purpose", String(32), nullable=False),
    Column("user_id", Uuid, ForeignKey(user.c.id, ondelete="CASCADE"), index=True),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    # The canonical address that it proves, and what is done then.
    Column("email", String(320), nullable=False, index=True),
    Column("payload", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
)

# Mail that is to be sent, written in the transaction that causes it. What was sent is deleted; what was given up has no
# next attempt.
outbox = Table(
    f"{PREFIX}outbox",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("payload_sealed", LargeBinary, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", UtcDateTime, index=True),
    Column("last_error", String(255)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)

# A login at our pages, kept by a cookie whose digest this is. It opens the sessions of clients, and most end with it.
browser_session = Table(
    f"{PREFIX}browser_session",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("user_id", Uuid, ForeignKey(user.c.id, ondelete="CASCADE"), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("amr", String(255), nullable=False),
    Column("auth_time", UtcDateTime, nullable=False),
    Column("user_agent", String(255)),
    Column("address", String(45)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("last_used_at", UtcDateTime, nullable=False),
    Column("idle_expires_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    Index(f"ix_{PREFIX}browser_session_user_id", "user_id", "id"),
)

# A code is redeemed once; its row stays until it has expired, so that a second use is known for what it is.
authorization_code = Table(
    f"{PREFIX}authorization_code",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("client_id", String(255), ForeignKey(client.c.id, ondelete="CASCADE"), nullable=False),
    Column("user_id", Uuid, ForeignKey(user.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("browser_session_id", Uuid, nullable=False),
    Column("redirect_uri", String(2000), nullable=False),
    Column("code_challenge", String(43), nullable=False),
    Column("scope", Text, nullable=False),
    Column("audience", String(2000)),
    Column("nonce", String(255)),
    # Which claims were asked for by name (OpenID Connect Core §5.5).
    Column("claims", JSON),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    Column("redeemed_at", UtcDateTime),
    # What it gave, to be ended if it is presented again.
    Column("session_id", Uuid),
)

# What a user allowed a client.
consent = Table(
    f"{PREFIX}consent",
    metadata,
    Column("user_id", Uuid, ForeignKey(user.c.id, ondelete="CASCADE"), primary_key=True),
    Column("client_id", String(255), ForeignKey(client.c.id, ondelete="CASCADE"), primary_key=True, index=True),
    Column("scope", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

# Clients that are to be told that a session has ended (OpenID Connect Back-Channel Logout), written in the transaction
# that ends it.
logout_notice = Table(
    f"{PREFIX}logout_notice",
    metadata,
    Column("session_id", Uuid, primary_key=True),
    Column("client_id", String(255), ForeignKey(client.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("user_id", Uuid, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", UtcDateTime, index=True),
    Column("last_error", String(255)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)

user_id_column = user.c.id
"""For a host's own tables: `ForeignKey(user_id_column)`. A string would not resolve across two `MetaData`."""
