"""`watchword-routes.toml`: who might use which route when somebody last looked."""

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from watchword.check.access import Access, Protection
from watchword.check.errors import CheckError
from watchword.check.routes import AppRoute
from watchword.check.subject import Subject

FILE_NAME: Final = "watchword-routes.toml"
_VERSION: Final = 1
_ABOUT: Final = """\
# Who may use which route: "public", "authenticated", or the scopes that it asks for.
# `watchword check` fails where a route is more open than it says here. Review it like code; after a change that is
# meant, write it anew:
#     watchword check module:app --write-baseline
"""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the file says.

    Attributes:
        routes: `GET /orders` to `public`, `authenticated`, or the scopes it asks for, separated by spaces.
    """

    routes: Mapping[str, str]

    @classmethod
    def of(cls, subject: Subject) -> "Baseline":
        """What an app is like now, FastAPI's own pages left out."""
        routes: dict[str, str] = {}
        for route in subject.routes:
            if not route.is_from_framework:
                for name in names_of(route):
                    routes.setdefault(name, said_of(subject.protection(route)))  # the first of a name answers
        return cls(routes)

    def toml(self) -> str:
        """The file's text: the same for the same routes, in whatever order the app has them."""
        lines = [f"{json.dumps(name)} = {json.dumps(self.routes[name])}" for name in sorted(self.routes, key=_order)]
        return "\n".join([_ABOUT, f"version = {_VERSION}\n", "[routes]", *lines, ""])

    def gone_from(self, now: "Baseline") -> list[str]:
        """The routes it names that are there no more."""
        return sorted(self.routes.keys() - now.routes.keys(), key=_order)

    def opened(self, route: AppRoute, protection: Protection) -> Iterator[tuple[str, str]]:
        """What is more open than it says: the name of the route, and how it was and is."""
        for name in names_of(route):
            difference = _opened(self.routes.get(name), protection)
            if difference is not None:
                yield name, difference


def read(path: Path) -> Baseline:
    """Read such a file.

    Raises:
        CheckError: It cannot be read, or is not one.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CheckError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise CheckError(f"{path} is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise CheckError(f"{path} is no TOML: {error}") from None  # the error names line and column
    if content.get("version") != _VERSION:
        raise CheckError(f"{path}: version must be {_VERSION}; write it anew with --write-baseline")
    routes = content.get("routes", {})
    if not isinstance(routes, dict):
        raise CheckError(f"{path}: routes must be a table: [routes]")
    for name, value in routes.items():
        if not isinstance(value, str) or not value.strip():
            raise CheckError(f'{path}: {name!r} must be "public", "authenticated" or scopes, not {value!r}')
    return Baseline(routes)


def names_of(route: AppRoute) -> list[str]:
    """What a route is called in the file: one name for each of its methods."""
    return [f"{method} {route.path}" for method in route.methods]


def said_of(protection: Protection) -> str:
    """How the file says who may use a route."""
    return " ".join(sorted(protection.scopes)) or str(protection.access)


def _opened(before: str | None, protection: Protection) -> str | None:
    if protection.access is Access.PUBLIC:
        if before is None:
            return "is public and new"
        return None if before == Access.PUBLIC else f"is public now, and was {_described(before)}"
    if before in {None, Access.PUBLIC, Access.AUTHENTICATED}:
        return None
    lost = " and ".join(sorted(set(str(before).split()) - set(said_of(protection).split())))
    return f"asks for {lost} no more" if lost else None


def _described(before: str) -> str:
    return before if before == Access.AUTHENTICATED else f"guarded by {before}"


def _order(name: str) -> tuple[str, str]:
    method, _, path = name.partition(" ")
    return path, method
