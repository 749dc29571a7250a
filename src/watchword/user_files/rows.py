"""What a file of users comes down to: a user, or a row that is refused and why."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class BadRow(Exception):
    """A row that is no user. The message says why, and repeats nothing of what is in the row."""


@dataclass(frozen=True, slots=True)
class User:
    """A user as a file tells of them; nothing is checked but the types.

    Attributes:
        email: As it is written there.
        password_hash: In a form that `crypto.foreign_hashes.canonical_hash` may read; None for no password.
        id: What the user is known by there, if that is to be kept.
    """

    email: str
    password_hash: str | None = field(repr=False)
    id: str | None
    is_email_verified: bool
    is_active: bool
    profile: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class UserRow:
    """A user, the line where the row begins, counted from 1, and the row's bytes."""

    line: int
    size: int
    user: User


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that is not imported.

    Attributes:
        line: Where the row begins, counted from 1.
        email: What stands in its place: it may be anything.
        reason: For a person; repeats nothing of the row.
    """

    line: int
    email: str | None
    reason: str
