"""The settings, each once: name, meaning, default, recommendation. The reference page is generated from here."""

import difflib
import os
import re
from collections.abc import Collection, Mapping
from datetime import timedelta
from email.utils import parseaddr
from enum import StrEnum
from ipaddress import ip_network
from typing import Annotated, Any, Final, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    DirectoryPath,
    Field,
    FilePath,
    PlainSerializer,
    SecretStr,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, DotEnvSettingsSource, NoDecode, SettingsConfigDict

from watchword.errors import ConfigurationError
from watchword.model import ADMIN_SCOPE, EVERY_SCOPE, RESERVED_SCOPES, AttemptKind, AttemptPolicy, Limit, Rate

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_SHORT_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)([smhdw]?)")
ROLE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}", re.ASCII)
_MOST_IN_A_ROLE: Final = 500
_LONGEST_IN_A_ROLE: Final = 255
_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
_KNOWN_SECRETS: Final = ("09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",)
_iso_duration: Final = TypeAdapter(timedelta)

_LOOPBACK: Final = {"localhost", "127.0.0.1", "::1"}
_LONGEST_LEEWAY: Final = timedelta(minutes=5)
_STALENESS: Final = (timedelta(milliseconds=100), timedelta(minutes=1))
_LOCKOUT: Final = (timedelta(seconds=30), timedelta(days=1))

MIN_SECRET_BYTES: Final = 32


class Environment(StrEnum):
    """Where the process runs."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class LogFormat(StrEnum):
    """How a log is written."""

    TEXT = "text"
    JSON = "json"


class EmailVerification(StrEnum):
    """Whether an address has to be proved."""

    OFF = "off"
    REQUIRED = "required"


class SecondFactor(StrEnum):
    """Who must have a second factor."""

    OPTIONAL = "optional"
    REQUIRED = "required"


class SigningAlgorithm(StrEnum):
    """How access tokens are signed (RFC 7518 §3.1)."""

    ES256 = "ES256"
    RS256 = "RS256"
    HS256 = "HS256"


def _parse_duration(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("is not a duration")  # noqa: TRY004 — pydantic turns only ValueError into its own
    if isinstance(value, int | float):
        return _seconds(value)
    if isinstance(value, str):
        text = value.strip()
        if short := _SHORT_DURATION.fullmatch(text):
            return _seconds(float(short[1]) * _UNITS[short[2] or "s"])
        if text.startswith("P"):
            return _iso_duration.validate_python(text)
        raise ValueError("is not a duration: write 900, 15m, 12h, 30d or PT15M")
    return value


def _seconds(value: float) -> timedelta:
    try:
        return timedelta(seconds=value)
    except OverflowError:  # infinity too, which JSON's 1e999 is
        raise ValueError("is longer than any duration can be") from None


def _positive(value: timedelta) -> timedelta:
    if value <= timedelta(0):
        raise ValueError("must be longer than zero")
    return value


def _not_negative(value: timedelta) -> timedelta:
    if value < timedelta(0):
        raise ValueError("must not be negative")
    return value


def format_duration(value: timedelta) -> str:
    """Write a duration in its largest whole unit: `15m`, `30d`, `90s`."""
    seconds = value.total_seconds()
    for unit, size in sorted(_UNITS.items(), key=lambda item: -item[1]):
        if unit != "w" and seconds >= size and seconds % size == 0:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds:g}s"


Duration = Annotated[
    timedelta,
    BeforeValidator(_parse_duration),
    AfterValidator(_positive),
    PlainSerializer(format_duration, return_type=str),
]
"""A length of time, from `15m`, `900` (seconds) or ISO 8601 (`PT15M`)."""

DurationOrZero = Annotated[
    timedelta,
    BeforeValidator(_parse_duration),
    AfterValidator(_not_negative),
    PlainSerializer(format_duration, return_type=str),
]
"""A `Duration` that may be `0`, which switches something off."""


class PasswordCost(StrEnum):
    """Named costs of Argon2id."""

    OWASP = "owasp"
    RFC9106 = "rfc9106"


_NAMED_COSTS: Final = {PasswordCost.OWASP: (19456, 2, 1), PasswordCost.RFC9106: (65536, 3, 4)}
_MEMORY_KIB: Final = range(7168, 1048577)
_PASSES: Final = range(1, 21)
_LANES: Final = range(1, 17)
_COST: Final = re.compile(r"m=(\d{4,7}),t=(\d{1,2}),p=(\d{1,2})")


def _known_cost(value: str) -> str:
    if value in _NAMED_COSTS:
        return value
    cost = _COST.fullmatch(value)
    if cost is None:
        raise ValueError("must be owasp, rfc9106 or Argon2id parameters such as m=19456,t=2,p=1 (m in KiB)")
    memory, passes, lanes = (int(number) for number in cost.groups())
    if memory not in _MEMORY_KIB or passes not in _PASSES or lanes not in _LANES:
        raise ValueError("is out of range: 7168 ≤ m ≤ 1048576 (KiB), 1 ≤ t ≤ 20, 1 ≤ p ≤ 16")
    return value


def argon2_parameters(cost: str) -> tuple[int, int, int]:
    """Memory in KiB, passes and lanes of a `PASSWORD_COST`."""
    if cost in _NAMED_COSTS:
        return _NAMED_COSTS[PasswordCost(cost)]
    memory, passes, lanes = (int(number) for number in _COST.fullmatch(cost).groups())  # type: ignore[union-attr]
    return memory, passes, lanes


_RATE: Final = re.compile(r"([1-9]\d{0,6})/(second|minute|hour|day)")
_RATE_SECONDS: Final = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}


def _known_rate(value: str) -> str:
    if not _RATE.fullmatch(value):
        raise ValueError("is not a rate: write 20/minute; second, minute, hour and day are known")
    return value


def parse_rate(text: str) -> Rate:
    """Read a `RateText`."""
    number, unit = text.split("/")
    return Rate(int(number), _RATE_SECONDS[unit])


RateText = Annotated[str, AfterValidator(_known_rate)]
"""A number of requests in a time: `20/minute`."""


class Settings(BaseSettings):
    """What is in force, from `WATCHWORD_…` in the environment or in `.env`. Frozen."""

    model_config = SettingsConfigDict(
        env_prefix="WATCHWORD_",
        env_file=".env",
        env_file_encoding="utf-8",
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        validate_default=True,
    )

    environment: Environment = Field(
        default=Environment.DEVELOPMENT,
        description="`development` makes a secret and migrates the database by itself. `production` refuses to start "
        "on "
        "anything unsafe, and takes credentials over https only.",
    )
    database_url: SecretStr = Field(
        default=SecretStr("sqlite+aiosqlite:///watchword.db"),
        description="Where users and keys are kept: `sqlite+aiosqlite:///file.db` or "
        "`postgresql+asyncpg://user:password@host/name` "
        "(`sqlite:///…` and `postgresql://…` mean the same). Recommended: PostgreSQL as soon as there are two "
        "machines.",
    )
    database_pool_size: int = Field(
        default=10,
        ge=2,
        le=1000,
        description="Connections a process keeps open at most, half of them for refreshes. A request that finds none "
        "free for 2 seconds gets 503.",
    )
    secret: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        default=(),
        description="One secret of at least 32 bytes, or several separated by spaces: the first seals, all unseal. "
        "It encrypts the signing keys in the database and makes refresh tokens. Development makes one and keeps it in "
        "a file beside the database; production requires it. Make one with "
        "`python -c 'import secrets; print(secrets.token_urlsafe(32))'`.",
    )
    issuer: str = Field(
        default="",
        description="The `iss` of every token, and the address that links are made from: "
        "`https://login.example.com`. Required in "
        "production; in development `http://localhost:8000`. It is never taken from a request.",
    )
    audience: str = Field(
        default="",
        description="The `aud` of access tokens: what they are meant for. Empty means the issuer. Tokens for "
        "anything else are refused.",
    )
    prefix: str = Field(default="/auth", description="Where the endpoints are mounted in the app.")
    database_direct_url: SecretStr | None = Field(
        default=None,
        description="The same PostgreSQL without a connection pooler in between, where `DATABASE_URL` goes through one "
        "in transaction mode (pgbouncer): revocations are followed by `LISTEN`, which needs a connection of its own.",
    )
    redis_url: SecretStr | None = Field(
        default=None,
        description="A Redis in which all processes count for the limits, and to which the deny-list is exported for "
        "resource servers that are not Watchword: `redis://…`, `rediss://…` or `unix://…`. The guards need none. "
        "Install `watchword[redis]`.",
    )
    access_token_lifetime: Duration = Field(
        default=timedelta(minutes=15), description="How long an access token is good for. Recommended: 5m to 1h."
    )
    access_token_algorithm: SigningAlgorithm = Field(
        default=SigningAlgorithm.ES256,
        description="How access tokens are signed: `ES256`, `RS256`, or `HS256` where every verifier shares this "
        "database. "
        "Tokens signed before a change stay good until they expire.",
    )
    signing_key_lifetime: DurationOrZero = Field(
        default=timedelta(days=90),
        description="How long a key signs before the next one does, which was published minutes before. `0`: until "
        "`watchword keys rotate`. At least 1h.",
    )
    refresh_idle_lifetime: Duration = Field(
        default=timedelta(days=30),
        description="A session that is not refreshed for so long ends. Recommended: 7d to 30d, 1d where much is at "
        "stake.",
    )
    refresh_absolute_lifetime: Duration = Field(
        default=timedelta(days=90),
        description="A session ends after so long, however often it is refreshed: the user logs in again.",
    )
    pages: bool = Field(
        default=True,
        description="Whether there are pages to log in at, and with them the authorization code grant for third "
        "parties. `false` where every login is by your own front end.",
    )
    page_templates: DirectoryPath | None = Field(
        default=None,
        description="A folder with templates of your own, and a `style.css`, which replace those of the same name "
        "in our pages.",
    )
    page_logo: FilePath | None = Field(
        default=None,
        description="A picture, such as an SVG file, that our pages show in place of `PRODUCT_NAME`.",
    )
    page_accent: str = Field(
        default="#3455c4",
        description="The colour of buttons and links in our pages, as `#rrggbb`. Where it would be hard to read on "
        "light or on dark it is made darker or lighter.",
    )
    browser_session_idle_lifetime: Duration = Field(
        default=timedelta(days=1),
        description="A login at our pages that is not used for so long ends.",
    )
    browser_session_absolute_lifetime: Duration = Field(
        default=timedelta(days=14),
        description="A login at our pages ends after so long, however often it is used.",
    )
    refresh_leeway: DurationOrZero = Field(
        default=timedelta(seconds=30),
        description="How long a refresh token may be sent again, because its answer was lost or a second tab used it; "
        "it then gets the same successor. `0` makes it strictly single use: any second use ends the session. At most "
        "5m.",
    )
    revocation_staleness: Duration = Field(
        default=timedelta(seconds=1),
        description="How long a revoked token may still be let in by another process. Beyond it, guards ask the "
        "database at each request until they hear of revocations again. 100ms (`0.1`) to 1m.",
    )
    remembered_tokens: int = Field(
        default=10_000,
        ge=0,
        le=10_000_000,
        description="Verified access tokens that a process keeps in memory, about 2 KiB each; the least recently used "
        "goes first. `0` asks the database at each request.",
    )
    events_kept_for: DurationOrZero = Field(
        default=timedelta(days=30),
        description="How long administrators can read what happened: logins, changed passwords, ended sessions, what "
        "they did themselves. Refused logins and refreshes are in the log and the metrics alone. `0` keeps nothing.",
    )
    api_key_max_lifetime: Duration = Field(
        default=timedelta(days=365),
        description="The longest life that an API key may be given. One that is made without saying how long lives "
        "90d, or as long as this where that is shorter.",
    )
    clock_leeway: Duration = Field(
        default=timedelta(seconds=30),
        description="How far in the future `iat` and `nbf` of a token may lie, for the clocks of several machines. "
        "`exp` has none.",
    )
    scopes: dict[str, str] = Field(
        default_factory=dict,
        description='The scopes of the app, as JSON: name → description, such as `{"orders:read": "Read orders"}`. '
        "The ones "
        "given in Python, `Watchword(scopes=…)`, are added.",
    )
    roles: dict[str, list[str]] = Field(
        default_factory=dict,
        description="Roles that are made at start-up if there are none of these names, as JSON: name → scopes, such as "
        '`{"editor": ["orders:read", "orders:write"]}`; `*` is every scope that the app declares. There are always '
        "`user`, with `*`, and `admin`. What the database says of a role stays as it is: `watchword roles` changes it.",
    )
    default_role: str = Field(
        default="user",
        description="The role that new users get; empty for none. It must exist, or be in `WATCHWORD_ROLES`.",
    )
    mail_url: SecretStr | None = Field(
        default=None,
        description="Where mail is handed over: `smtp://user:password@host` (port 587, STARTTLS, never without), "
        "`smtps://user:password@host` (port 465, TLS at once) or `smtp+plain://host` (port 25, no TLS and no password: "
        "for a relay beside the app). Characters such as `@` in the password are escaped: `%40`. Without it, "
        "development writes mail to the log, and production sends none: it has no `POST /auth/password/forgot` and "
        "`/auth/email/…`.",
    )
    mail_from: str = Field(
        default="",
        description="The sender of mail: `Example <login@example.com>`. Required with `MAIL_URL`.",
    )
    mail_templates: DirectoryPath | None = Field(
        default=None,
        description="A folder with templates of your own, which replace those of the same name.",
    )
    product_name: str = Field(
        default="",
        description="What people call the app, in mail and in authenticator apps. Empty: the name of the host in the "
        "issuer.",
    )
    email_verification: EmailVerification = Field(
        default=EmailVerification.OFF,
        description="`required`: a sign-up makes no account before a mailed link was followed, and nobody logs in with "
        "an address that was not proved. `off`: a sign-up makes an account at once, and tells whether the address has "
        "one. Recommended where anybody can sign up: `required`.",
    )
    email_verification_url: str = Field(
        default="",
        description="The page of your front end that mailed links lead to, with `{token}` in the fragment, which no "
        "server and no log sees: `https://app.example.com/verify#token={token}`. The page posts it to "
        "`/auth/email/verify`. Empty: our own page, `/auth/verify#token={token}` below the issuer; with `PAGES=false` "
        "there is none, and this has to be set.",
    )
    password_reset_url: str = Field(
        default="",
        description="The same for forgotten passwords; the page posts the token and the new password to "
        "`/auth/password/reset`. Empty: our own page, `/auth/reset#token={token}`, as above.",
    )
    notices: bool = Field(
        default=True,
        description="Whether users are told, by mail, of a login from a new device, a changed password or address, a "
        "copied refresh token, a changed second factor. Nobody is told where no mail is sent.",
    )
    sign_up: bool = Field(default=True, description="Whether anybody can make an account with `POST /auth/users`.")
    password_min_length: int = Field(
        default=15,
        ge=8,
        le=128,
        description="Characters that a new password needs. Recommended: 15 where no second factor is required (NIST "
        "SP 800-63B-4), "
        "never less than 8.",
    )
    breached_passwords_url: str = Field(
        default="",
        description="Where to ask whether a new password was leaked: a range API such as "
        "`https://api.pwnedpasswords.com/range`, which is sent five characters of its SHA-1. Asked when a password is "
        "set, never at a login; where it does not answer within 2 seconds the password is taken. Empty: nobody is "
        "asked.",
    )
    password_cost: Annotated[str, AfterValidator(_known_cost)] = Field(
        default=PasswordCost.OWASP.value,
        description="The cost of Argon2id: `owasp` (19 MiB, t=2, p=1), `rfc9106` (64 MiB, t=3, p=4) or parameters "
        "such as "
        "`m=19456,t=2,p=1`. A weaker stored hash is replaced at the next login, a stronger one never. "
        "`watchword calibrate` shows what each costs on the machine at hand.",
    )
    hashing_threads: int = Field(
        default=0,
        ge=0,
        le=256,
        description="Threads that hash passwords, at low priority. 0 means as many as there are cores.",
    )
    hashing_queue: int = Field(
        default=64,
        ge=0,
        le=10_000,
        description="Logins that may wait for a hashing thread. One more is answered 503 with Retry-After.",
    )
    second_factor: SecondFactor = Field(
        default=SecondFactor.OPTIONAL,
        description="Whether every user must have a second factor: `optional` or `required`. A user who must and has "
        "none sets one up at the next login; sessions that are open go on.",
    )
    second_factor_roles: tuple[str, ...] = Field(
        default=(),
        description='Roles whose users must have a second factor where others may, as JSON: `["admin"]`. Recommended: '
        "`admin`, and whatever else can do harm.",
    )
    password_failures: int = Field(
        default=10,
        ge=3,
        le=100,
        description="Failed logins in a row after which each further one to the same account has to wait: 30s, then "
        "twice as long each time. A network the account is logged in from is counted by itself. A locked account "
        "answers as a wrong password does.",
    )
    code_failures: int = Field(
        default=5,
        ge=3,
        le=100,
        description="The same for wrong codes of a second factor, which are answered 429 with Retry-After then.",
    )
    longest_lockout: Duration = Field(
        default=timedelta(minutes=15),
        description="What these waits do not grow beyond. 30s to 1d; a day after the last failure all is forgotten.",
    )
    rate_limits: bool = Field(
        default=True,
        description="Whether requests are limited for each client address (an IPv4 address, or 64 bits of IPv6), "
        "with 429 and Retry-After beyond. Behind a proxy that is not trusted all clients have its address, and share "
        "one limit: see `TRUSTED_PROXIES`. With `REDIS_URL` all processes count together.",
    )
    rate_logins: RateText = Field(
        default="20/minute",
        description="Logins with a password; and each other endpoint that takes a password, a code or a token that was "
        "mailed, by itself. Rates are `20/minute`, of `second`, `minute`, `hour` or `day`. Recommended: more where "
        "many users have one address, or a back end logs in for them.",
    )
    rate_refreshes: RateText = Field(default="600/minute", description="Refresh tokens presented.")
    rate_sign_ups: RateText = Field(
        default="30/hour", description="Sign-ups; and each other endpoint that sends mail, by itself."
    )
    rate_failures: RateText = Field(
        default="60/minute",
        description="Failures of clients to authenticate, and of API keys that do not exist. What succeeds is not "
        "counted.",
    )
    docs_in_production: bool = Field(
        default=False, description="Production refuses to start while the app serves its docs, unless this is set."
    )
    log_format: LogFormat = Field(
        default=LogFormat.TEXT,
        description="How `watchword serve` writes its log: `text`, or `json` with one object a line. Recommended in "
        "production: `json`.",
    )
    metrics_in_production: bool = Field(
        default=False,
        description="Whether `watchword serve` answers `GET /metrics` in production too, to whoever can reach it.",
    )
    trusted_proxies: str = Field(
        default="",
        description="Addresses or networks, separated by commas, whose X-Forwarded-For and X-Forwarded-Proto "
        "`watchword serve` "
        "believes, such as `10.0.0.0/8`. Empty: none.",
    )

    @field_validator("secret", mode="before")
    @classmethod
    def _split_secrets(cls, value: object) -> object:
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        return tuple(value.split()) if isinstance(value, str) else value

    @field_validator("secret")
    @classmethod
    def _long_secrets(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for secret in value:
            plain = secret.get_secret_value()
            if len(plain.encode()) < MIN_SECRET_BYTES:
                raise ValueError("is too short: each secret needs at least 32 bytes")
            if plain in _KNOWN_SECRETS or len(set(plain)) < 10:  # noqa: PLR2004 — fewer is a pattern, not a secret
                raise ValueError("is a well-known or trivial value: make one with secrets.token_urlsafe(32)")
        return value

    @field_validator("database_url")
    @classmethod
    def _async_driver(cls, value: SecretStr) -> SecretStr:
        scheme, separator, rest = value.get_secret_value().partition("://")
        driver = {
            "sqlite": "sqlite+aiosqlite",
            "sqlite+aiosqlite": "sqlite+aiosqlite",
            "postgres": "postgresql+asyncpg",
            "postgresql": "postgresql+asyncpg",
            "postgresql+asyncpg": "postgresql+asyncpg",
        }.get(scheme)
        if not separator or driver is None:
            raise ValueError("must start with sqlite+aiosqlite:// or postgresql+asyncpg://")
        return SecretStr(f"{driver}://{rest}")

    @field_validator("database_direct_url")
    @classmethod
    def _postgresql(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        url = cls._async_driver(value)
        if not url.get_secret_value().startswith("postgresql"):
            raise ValueError("must start with postgresql+asyncpg://")
        return url

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("must start with redis://, rediss:// or unix://")
        return value

    @field_validator("mail_url")
    @classmethod
    def _smtp(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        url = urlsplit(value.get_secret_value())
        try:
            is_readable = url.port != 0 and bool(url.hostname)
        except ValueError:
            is_readable = False
        if url.scheme not in {"smtp", "smtps", "smtp+plain"} or not is_readable or url.path or url.query:
            raise ValueError("must be an address such as smtp://user:password@host:587, smtps://… or smtp+plain://…")
        if url.scheme == "smtp+plain" and url.username:
            raise ValueError("must be smtp:// or smtps:// where there is a password: smtp+plain:// has no TLS")
        return value

    @field_validator("mail_from")
    @classmethod
    def _sender(cls, value: str) -> str:
        name, address = parseaddr(value)
        if value and (not value.isprintable() or "@" not in address or (not name and address != value.strip())):
            raise ValueError("must be a sender such as Example <login@example.com>")
        return value

    @field_validator("product_name")
    @classmethod
    def _one_line(cls, value: str) -> str:
        # A colon separates it from the email in the `otpauth://` addresses of authenticator apps.
        if not value.isprintable() or ":" in value:
            raise ValueError("must be one line of text, without a colon")
        return value

    @field_validator("page_accent")
    @classmethod
    def _colour(cls, value: str) -> str:
        if not re.fullmatch(r"#[0-9a-fA-F]{6}", value):
            raise ValueError("must be a colour such as #3455c4")
        return value.lower()

    @field_validator("email_verification_url", "password_reset_url")
    @classmethod
    def _in_the_fragment(cls, value: str) -> str:
        before, _, fragment = value.partition("#")
        if value and ("{token}" not in fragment or "{token}" in before or not urlsplit(before).scheme):
            raise ValueError("must be an address with {token} behind a #: https://app.example.com/page#token={token}")
        return value

    @field_validator("refresh_leeway")
    @classmethod
    def _short_leeway(cls, value: timedelta) -> timedelta:
        if value > _LONGEST_LEEWAY:  # a thief has as long
            raise ValueError("must not be longer than 5m")
        return value

    @field_validator("revocation_staleness")
    @classmethod
    def _followable(cls, value: timedelta) -> timedelta:
        if not _STALENESS[0] <= value <= _STALENESS[1]:
            raise ValueError("must be between 0.1 (100 ms) and 1m")
        return value

    @field_validator("breached_passwords_url")
    @classmethod
    def _range_api(cls, value: str) -> str:
        url = urlsplit(value)
        if value and (url.scheme not in {"http", "https"} or not url.netloc or url.query or url.fragment):
            raise ValueError("must be an address such as https://api.pwnedpasswords.com/range")
        return value

    @field_validator("longest_lockout")
    @classmethod
    def _bearable(cls, value: timedelta) -> timedelta:
        if not _LOCKOUT[0] <= value <= _LOCKOUT[1]:
            raise ValueError("must be between 30s and 1d")
        return value

    @field_validator("prefix")
    @classmethod
    def _path(cls, value: str) -> str:
        if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", value):
            raise ValueError("must be a path such as /auth, with no / at the end")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: str) -> str:
        # A mistyped network would be taken for a name, and trust nobody.
        parts = [part.strip() for part in value.split(",")] if value.strip() else []
        try:
            for part in parts:
                ip_network(part)
        except ValueError:
            raise ValueError("must be addresses or networks separated by commas, such as 10.0.0.0/8") from None
        return ",".join(parts)

    @field_validator("scopes")
    @classmethod
    def _scope_names(cls, value: dict[str, str]) -> dict[str, str]:
        check_scopes(value)
        return value

    @field_validator("roles")
    @classmethod
    def _role_names(cls, value: dict[str, list[str]]) -> dict[str, list[str]]:
        for name, scopes in value.items():
            if name in {"user", "admin"}:
                raise ValueError(f"{name!r} is always there: `watchword roles set {name} --scope …` changes it")
            if not ROLE_NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no name of a role: up to 64 letters, digits and _ . : -")
            check_role_scopes(scopes)
        return value

    @model_validator(mode="before")
    @classmethod
    def _development_issuer(cls, data: Any) -> Any:  # noqa: ANN401 — pydantic hands over what it was given
        if isinstance(data, dict):
            production = str(data.get("environment", "")) == Environment.PRODUCTION
            if not data.get("issuer") and not production:
                data = {**data, "issuer": "http://localhost:8000"}
            if not data.get("audience"):
                data = {**data, "audience": data.get("issuer", "")}
        return data

    @model_validator(mode="after")
    def _issuer_fits(self) -> Self:
        url = urlsplit(self.issuer)
        if self.environment is Environment.PRODUCTION:
            if not self.secret:
                raise ValueError(
                    "WATCHWORD_SECRET is required in production: set it to the output of "
                    "python -c 'import secrets; print(secrets.token_urlsafe(32))'"
                )
            if url.scheme != "https":
                raise ValueError("WATCHWORD_ISSUER is required in production: set it to this server's https:// address")
        if (
            url.scheme not in {"http", "https"}
            or not url.netloc
            or url.query
            or url.fragment
            or self.issuer.endswith("/")
        ):
            raise ValueError(
                "WATCHWORD_ISSUER must be an address such as https://login.example.com, with no query and no / at "
                "the end"
            )
        return self

    @model_validator(mode="after")
    def _mail_fits(self) -> Self:
        if self.mail_url is not None and not self.mail_from:
            raise ValueError(
                "WATCHWORD_MAIL_FROM is required with WATCHWORD_MAIL_URL: set it to Example <login@example.com>"
            )
        if self.is_production:
            url = urlsplit(self.mail_url.get_secret_value() if self.mail_url is not None else "")
            if url.scheme == "smtp+plain" and url.hostname not in _LOOPBACK:
                raise ValueError(
                    "WATCHWORD_MAIL_URL must be smtp:// or smtps:// in production, unless the relay is on localhost"
                )
            for name in ("email_verification_url", "password_reset_url"):
                if getattr(self, name).startswith("http://"):
                    raise ValueError(f"WATCHWORD_{name.upper()} must be https in production: the link is a credential")
        return self

    @model_validator(mode="after")
    def _lifetimes_fit(self) -> Self:
        if self.access_token_lifetime > self.refresh_idle_lifetime:
            raise ValueError("WATCHWORD_ACCESS_TOKEN_LIFETIME must not be longer than WATCHWORD_REFRESH_IDLE_LIFETIME")
        if self.refresh_idle_lifetime > self.refresh_absolute_lifetime:
            raise ValueError(
                "WATCHWORD_REFRESH_IDLE_LIFETIME must not be longer than WATCHWORD_REFRESH_ABSOLUTE_LIFETIME"
            )
        if self.browser_session_idle_lifetime > self.browser_session_absolute_lifetime:
            raise ValueError(
                "WATCHWORD_BROWSER_SESSION_IDLE_LIFETIME must not be longer than "
                "WATCHWORD_BROWSER_SESSION_ABSOLUTE_LIFETIME"
            )
        return self

    @field_validator("signing_key_lifetime")
    @classmethod
    def _signs_longer_than_it_is_published(cls, lifetime: timedelta) -> timedelta:
        if timedelta() < lifetime < timedelta(hours=1):
            raise ValueError("WATCHWORD_SIGNING_KEY_LIFETIME must be at least 1h, or 0")
        return lifetime

    @model_validator(mode="after")
    def _direct_url_is_of_use(self) -> Self:
        if self.database_direct_url is not None and self.database_url.get_secret_value().startswith("sqlite"):
            raise ValueError(
                "WATCHWORD_DATABASE_DIRECT_URL is for PostgreSQL: remove it, or set WATCHWORD_DATABASE_URL"
            )
        return self

    @property
    def attempt_policies(self) -> Mapping[AttemptKind, AttemptPolicy]:
        """How many failures of each kind are free."""
        codes = {AttemptKind.TOTP, AttemptKind.RECOVERY}
        return {
            kind: AttemptPolicy(self.code_failures if kind in codes else self.password_failures, self.longest_lockout)
            for kind in AttemptKind
        }

    @property
    def rates(self) -> Mapping[Limit, Rate]:
        """What is limited, and how."""
        return {limit: parse_rate(getattr(self, f"rate_{limit}")) for limit in Limit} if self.rate_limits else {}

    @property
    def default_roles(self) -> frozenset[str]:
        """The roles that new users get."""
        return frozenset({self.default_role} if self.default_role else ())

    @property
    def is_production(self) -> bool:
        """Whether the strict rules are in force."""
        return self.environment is Environment.PRODUCTION

    @property
    def needs_mail(self) -> str | None:
        """A setting that cannot be followed without mail, if one is in force."""
        if self.email_verification is EmailVerification.REQUIRED:
            return "WATCHWORD_EMAIL_VERIFICATION=required"
        return "WATCHWORD_NOTICES=true" if self.notices and "notices" in self.model_fields_set else None

    @property
    def links_that_lead_nowhere(self) -> str | None:
        """A setting that mailed links need in production, where there are no pages of ours and it is empty."""
        if self.pages or not self.is_production:
            return None
        urls = {
            "WATCHWORD_EMAIL_VERIFICATION_URL": self.email_verification_url,
            "WATCHWORD_PASSWORD_RESET_URL": self.password_reset_url,
        }
        return next((name for name, url in urls.items() if not url), None)

    @property
    def product(self) -> str:
        """What people call the app."""
        return self.product_name or urlsplit(self.issuer).hostname or "Watchword"

    @property
    def sender(self) -> str:
        """The `From` of mail."""
        return self.mail_from or f"no-reply@{urlsplit(self.issuer).hostname}"


def check_scopes(scopes: dict[str, str]) -> None:
    """Refuse scope names that RFC 6749 §3.3 does not allow, or that have a meaning already.

    Raises:
        ValueError: It names the scope.
    """
    for name in scopes:
        if not is_scope(name):
            raise ValueError(f"{name!r} is not a scope: printable ASCII without space, quote and backslash")
        if name in RESERVED_SCOPES:
            raise ValueError(f"{name!r} is reserved")


def check_role_scopes(scopes: Collection[str]) -> None:
    """Refuse what a role cannot allow: a malformed scope, the reserved ones but `admin`, too many or too long ones.

    Raises:
        ValueError: It says which or how many.
    """
    if len(scopes) > _MOST_IN_A_ROLE or any(len(scope) > _LONGEST_IN_A_ROLE for scope in scopes):
        raise ValueError(f"a role allows up to {_MOST_IN_A_ROLE} scopes of up to {_LONGEST_IN_A_ROLE} characters")
    try:
        check_scopes(dict.fromkeys(set(scopes) - {EVERY_SCOPE, ADMIN_SCOPE}, ""))
    except ValueError as error:
        raise ValueError(f"scope {error}") from None


def is_scope(name: str) -> bool:
    """Whether a text is one scope token (RFC 6749 §3.3)."""
    return _SCOPE.fullmatch(name) is not None


def load_settings() -> Settings:
    """Read the settings from the environment.

    Raises:
        ConfigurationError: A variable is unknown or its value unusable; the message names it.
    """
    try:
        _refuse_unknown_names()
        return Settings()
    except ValidationError as error:
        raise ConfigurationError(_describe(error)) from None
    except ValueError as error:  # pydantic-settings: a value that should be JSON is not
        raise ConfigurationError(_name_json_error(str(error))) from None


def _refuse_unknown_names() -> None:
    """A misspelt name would silently leave its setting at the default."""
    known = {f"WATCHWORD_{name.upper()}" for name in Settings.model_fields}
    in_file = {name.upper() for name in DotEnvSettingsSource(Settings).env_vars}
    for name in sorted({*os.environ, *in_file}):
        upper = name.upper()
        if upper.startswith("WATCHWORD_") and upper not in known and not upper.startswith("WATCHWORD_TEST_"):
            close = difflib.get_close_matches(upper, known, n=1)
            raise ConfigurationError(f"{name} is not a setting" + (f"; did you mean {close[0]}?" if close else ""))


def _describe(error: ValidationError) -> str:
    parts = []
    for problem in error.errors(include_input=False, include_url=False):
        reason = problem["msg"].removeprefix("Value error, ")
        where = ".".join(str(part) for part in problem["loc"][1:])
        variable = f"WATCHWORD_{str(problem['loc'][0]).upper()} " if problem["loc"] else ""
        parts.append(f"{variable}{f'({where}) ' if where else ''}{_lower_first(reason)}")
    return "; ".join(parts)


def _lower_first(reason: str) -> str:
    return reason[:1].lower() + reason[1:] if reason.startswith(("Input ", "Path ")) else reason


def _name_json_error(message: str) -> str:
    field = re.search(r'field "(\w+)"', message)
    return f"WATCHWORD_{field[1].upper()} must be JSON" if field else "a setting cannot be read: check its JSON"
