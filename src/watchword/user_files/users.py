"""What each format calls the parts of a user. Pure: a record in, a user out, or `BadRow`."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from watchword.crypto.foreign_hashes import FirebaseParameters, keycloak_hash
from watchword.user_files.json_stream import parse_object
from watchword.user_files.rows import BadRow, User

_COLUMNS: Final = frozenset({"email", "password_hash", "id", "email_verified", "is_active", "profile"})
_PROFILE_COLUMN: Final = "profile."
_TRUE: Final = frozenset({"true", "t", "1", "yes", "y"})
_FALSE: Final = frozenset({"false", "f", "0", "no", "n"})
_NAME: Final = re.compile(r"[A-Za-z][\w.-]{0,40}", re.ASCII)
_UNUSABLE: Final = "!"  # how Django, like /etc/shadow, begins what no password matches

UNKNOWN_HASH: Final = "a password hash of a kind that cannot be verified here"
_NO_EMAIL: Final = "no email"
_AUTH0_CUSTOM: Final = frozenset({"argon2", "bcrypt", "pbkdf2"})  # of its algorithms, those whose value says it all


def check_columns(columns: list[str]) -> list[str]:
    """The columns of a CSV file, if all are known: one that was passed over might have said who is disabled.

    Raises:
        BadRow: One is not, or is there twice.
    """
    for number, name in enumerate(columns, 1):
        if name not in _COLUMNS and not (name.startswith(_PROFILE_COLUMN) and name != _PROFILE_COLUMN):
            shown = f" ({name})" if _NAME.fullmatch(name) else ""
            raise BadRow(
                f"column {number}{shown} is not known: there are {', '.join(sorted(_COLUMNS))}, {_PROFILE_COLUMN}NAME"
            )
        if name in columns[: number - 1]:
            raise BadRow(f"column {number} is there twice")
    return columns


def csv_user(cells: Mapping[str, str]) -> User:
    """A record of CSV; an empty cell is one that is not there."""
    filled = {name: cell for name, cell in cells.items() if cell}
    profile = _json_cell(filled["profile"]) if "profile" in filled else {}
    for name, cell in filled.items():
        if name.startswith(_PROFILE_COLUMN):
            profile[name.removeprefix(_PROFILE_COLUMN)] = cell
    return User(
        email=_required(filled.get("email")),
        password_hash=_usable(filled.get("password_hash")),
        id=filled.get("id"),
        is_email_verified=_flag_cell(filled, "email_verified", default=False),
        is_active=_flag_cell(filled, "is_active", default=True),
        profile=profile,
    )


def own_user(record: Mapping[str, Any]) -> User:
    """A line of our own JSON Lines."""
    if unknown := record.keys() - _COLUMNS:
        names = sorted(name for name in unknown if _NAME.fullmatch(name))
        raise BadRow("a field that is not known" + (f": {', '.join(names[:3])}" if names else ""))
    return User(
        email=_required(_text(record, "email")),
        password_hash=_usable(_text(record, "password_hash")),
        id=_text(record, "id"),
        is_email_verified=_flag(record, "email_verified", default=False),
        is_active=_flag(record, "is_active", default=True),
        profile=_mapping(record, "profile"),
    )


def keycloak_user(record: Mapping[str, Any], profile_fields: Mapping[str, str]) -> User:
    """A user of a realm's export."""
    return User(
        email=_required(_text(record, "email")),
        password_hash=_keycloak_password(record),
        id=_text(record, "id"),
        is_email_verified=_flag(record, "emailVerified", default=False),
        is_active=_flag(record, "enabled", default=True),
        profile=_picked(record, profile_fields),
    )


def auth0_user(record: Mapping[str, Any], profile_fields: Mapping[str, str]) -> User:
    """A user of Auth0's export of password hashes, or of a file that it would import."""
    email, is_verified = _text(record, "email"), _flag(record, "email_verified", default=False)
    if email is None:  # some exported users have it only here
        listed = record.get("identifiers")
        for identifier in listed if isinstance(listed, list) else []:
            if isinstance(identifier, dict) and identifier.get("type") == "email":
                email, is_verified = _text(identifier, "value"), _flag(identifier, "verified", default=False)
    return User(
        email=_required(email),
        password_hash=_auth0_password(record),
        id=None,
        is_email_verified=is_verified,
        is_active=not _flag(record, "blocked", default=False),
        profile=_picked(record, profile_fields),
    )


def firebase_user(record: Mapping[str, Any], profile_fields: Mapping[str, str], parameters: FirebaseParameters) -> User:
    """A user of `firebase auth:export`."""
    exported = _text(record, "passwordHash")
    hashed = None
    if exported is not None and (hashed := parameters.hash(exported, _text(record, "salt") or "")) is None:
        raise BadRow("a password hash that does not go with the project's parameters")
    return User(
        email=_required(_text(record, "email")),
        password_hash=hashed,
        id=None,
        is_email_verified=_flag(record, "emailVerified", default=False),
        is_active=not _flag(record, "disabled", default=False),
        profile=_picked(record, profile_fields),
    )


def _keycloak_password(record: Mapping[str, Any]) -> str | None:
    listed = record.get("credentials")
    for credential in listed if isinstance(listed, list) else []:
        if isinstance(credential, dict) and credential.get("type") == "password":
            parts = (_text(credential, name) or "" for name in ("credentialData", "secretData"))
            hashed = keycloak_hash(*(_within(part) for part in parts))
            if hashed is None:
                raise BadRow(UNKNOWN_HASH)
            return hashed
    return None


def _auth0_password(record: Mapping[str, Any]) -> str | None:
    plain = _text(record, "passwordHash") or _text(record, "password_hash")
    custom = _mapping(record, "custom_password_hash")
    if plain is not None or not custom:
        return plain
    hashed = _mapping(custom, "hash")
    if custom.get("algorithm") not in _AUTH0_CUSTOM or hashed.get("encoding", "utf8") != "utf8" or "salt" in custom:
        raise BadRow(UNKNOWN_HASH)
    return _text(hashed, "value")


def _within(text: str) -> Mapping[str, Any]:
    """JSON within JSON; an empty object where it is none, which is no hash."""
    try:
        return parse_object(text.encode())
    except (BadRow, ValueError):
        return {}


def _picked(record: Mapping[str, Any], profile_fields: Mapping[str, str]) -> dict[str, Any]:
    """Fields of the profile, from where they are; those that are not there are left out."""
    picked = {}
    for name, path in profile_fields.items():
        value: Any = record
        for step in path.split("."):
            value = value.get(step) if isinstance(value, dict) else None
        if isinstance(value, list) and len(value) == 1:  # Keycloak's attributes are lists, of one value as a rule
            (value,) = value
        if value is not None:
            picked[name] = value
    return picked


def _required(email: str | None) -> str:
    if email is None:
        raise BadRow(_NO_EMAIL)
    return email


def _usable(password_hash: str | None) -> str | None:
    return None if password_hash is not None and password_hash.startswith(_UNUSABLE) else password_hash


def _flag_cell(cells: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = cells.get(name, "").strip().lower()
    if not text:
        return default
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise BadRow(f"{name}: neither true nor false")


def _json_cell(text: str) -> dict[str, Any]:
    try:
        profile = json.loads(text)
    except (ValueError, RecursionError):
        profile = None
    if not isinstance(profile, dict):
        raise BadRow("profile: not a JSON object")
    return profile


def _text(record: Mapping[str, Any], name: str) -> str | None:
    value = record.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise BadRow(f"{name}: not text")
    return value


def _flag(record: Mapping[str, Any], name: str, *, default: bool) -> bool:
    value = record.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise BadRow(f"{name}: neither true nor false")
    return value


def _mapping(record: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = record.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadRow(f"{name}: not a JSON object")
    return value


Converter = Callable[[Mapping[str, Any]], User]
"""A record of one format → a user."""
