"""What commands print: tables for people, JSON for programs."""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watchword.model import ApiKey, CreatedApiKey, Role, User


def say(text: str) -> None:
    """A plain line."""
    sys.stdout.write(f"{text}\n")


def tell(text: str) -> None:
    """A line for a person, beside what is printed for a program."""
    sys.stderr.write(f"{text}\n")


def print_json(value: object) -> None:
    """One JSON document."""
    say(json.dumps(value, indent=2, default=str))


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table as wide as the terminal; cells fold rather than being cut."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))  # Text: an email with brackets is no markup
    # In a pipe nothing folds: a line is a row.
    Console(width=None if sys.stdout.isatty() else 1000).print(table)


def user_dict(user: "User[Any]") -> dict[str, Any]:
    """A user as JSON has it."""
    return {
        "id": str(user.id),
        "email": user.email,
        "is_active": user.is_active,
        "profile": user.profile.model_dump(mode="json"),
        "roles": sorted(user.roles),
        "second_factor": user.second_factor,
        "created_at": user.created_at.isoformat(),
        "last_login_at": user.last_login_at.isoformat() if user.last_login_at else None,
    }


def print_user(user: "User[Any]", text: str, *, as_json: bool) -> None:
    """What became of a user."""
    if as_json:
        print_json(user_dict(user))
    else:
        say(text)


def role_dict(role: "Role") -> dict[str, Any]:
    """A role as JSON has it."""
    return {"name": role.name, "description": role.description, "scopes": sorted(role.scopes)}


def print_role(role: "Role", text: str, *, as_json: bool) -> None:
    """What became of a role."""
    if as_json:
        print_json(role_dict(role))
    else:
        say(text)


def api_key_dict(key: "ApiKey") -> dict[str, Any]:
    """An API key as JSON has it."""
    return {
        "id": str(key.id),
        "hint": key.hint,
        "name": key.name,
        "user_id": str(key.user_id) if key.user_id else None,
        "client_id": key.client_id,
        "scopes": sorted(key.scopes),
        "created_at": key.created_at.isoformat(),
        "expires_at": key.expires_at.isoformat(),
        "last_used_at": key.last_used_at.isoformat() if key.last_used_at else None,
    }


def print_api_key(created: "CreatedApiKey", *, as_json: bool) -> None:
    """A key that was just made, alone on standard output."""
    if as_json:
        print_json({**api_key_dict(created.key), "key": created.secret})
    else:
        tell(f"API key {created.key.id}, good until {moment(created.key.expires_at)} UTC.")
        say(created.secret)


def moment(value: datetime | None) -> str:
    """A time to the minute, UTC."""
    return value.strftime("%Y-%m-%d %H:%M") if value else "never"
