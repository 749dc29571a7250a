"""The routes of an app and who may use them: `watchword check --routes`."""

import json
from typing import Any, Final, TextIO

from rich import box
from rich.table import Table
from rich.text import Text

from watchword.check.access import Access
from watchword.check.report.places import shown
from watchword.check.report.text import console_on
from watchword.check.routes import AppRoute
from watchword.check.subject import Subject

VERSION: Final = 1
_STYLES: Final = {Access.PUBLIC: "yellow", Access.AUTHENTICATED: "green", Access.SCOPED: "bold green"}


def write_text(subject: Subject, to: TextIO) -> None:
    """A table; in a pipe, a line is a row."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("Methods", "Path", "Access", "Scopes", "By"):
        table.add_column(column, overflow="fold")
    for route in subject.routes:
        protection = subject.protection(route)
        by = "; ".join(guard.by for guard in protection.guards)
        access = Text(protection.access.value, style=_STYLES[protection.access])
        methods = Text(", ".join(route.methods))
        table.add_row(methods, Text(route.path), access, Text(" ".join(sorted(protection.scopes))), Text(by))
    console_on(to).print(table)


def write_json(subject: Subject, to: TextIO) -> None:
    """One document; `docs/check.md` says what its fields are."""
    document = {
        "version": VERSION,
        "target": subject.target.name,
        "routes": [_route(subject, route) for route in subject.routes],
    }
    to.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def _route(subject: Subject, route: AppRoute) -> dict[str, Any]:
    protection, handler = subject.protection(route), subject.handler(route)
    return {
        "methods": list(route.methods),
        "path": route.path,
        "access": protection.access.value,
        "scopes": sorted(protection.scopes),
        "guards": [
            {"by": guard.by, "scopes": sorted(guard.scopes), "certainty": guard.certainty.value}
            for guard in protection.guards
        ],
        "handler": None if handler is None else f"{shown(handler.location.path)}:{handler.location.line}",
    }
