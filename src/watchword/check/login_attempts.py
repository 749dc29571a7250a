"""Attempts to log in as somebody who does not exist."""

import json
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from fastapi.params import Form

from watchword.check.fields import annotation_of, fields_of, is_required
from watchword.check.filling import fields, value_of
from watchword.check.routes import AppRoute

_PASSWORD: Final = re.compile(r"passw|pwd|passcode|^pin$", re.IGNORECASE)
_USER: Final = re.compile(r"user|e_?mail|login|account|identifier|phone|^name$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Attempt:
    """The body of one, and what it is."""

    content_type: str
    body: bytes


def short_name() -> str:
    """Somebody nobody has heard of, who looks like a name and like an address."""
    return f"{secrets.token_hex(3)}@example.com"


def long_name() -> str:
    """Somebody else, with a long one."""
    return f"maria-magdalena.von-ebner-eschenbach.{secrets.token_hex(8)}@mailboxes.example.com"


def as_form(user: str, **others: str) -> Attempt:
    """As OAuth 2 has it (RFC 6749 §4.3.2)."""
    values = {"grant_type": "password", "username": user, "password": secrets.token_urlsafe(12), **others}
    return Attempt("application/x-www-form-urlencoded", urlencode(values).encode())


def as_route_wants_it(route: AppRoute, user: str) -> Attempt | None:
    """In the fields that a route reads; None if none of them is for a user, or for a password."""
    wanted = list(_wanted(route))
    names = [name for name, _annotation, _is_required in wanted]
    user_field = next((name for name in names if _USER.search(name)), None)
    password_field = next((name for name in names if _PASSWORD.search(name)), None)
    if user_field is None or password_field is None:
        return None
    values = {name: value_of(annotation) for name, annotation, is_required in wanted if is_required}
    values |= {"grant_type": "password"} if "grant_type" in names else {}
    values |= {user_field: user, password_field: secrets.token_urlsafe(12)}
    if _is_form(route):
        return Attempt("application/x-www-form-urlencoded", urlencode(values).encode())
    body = list(fields(route, "body_params"))
    is_embedded = len(body) == 1 and getattr(body[0].field_info, "embed", False)
    return Attempt("application/json", json.dumps({body[0].alias: values} if is_embedded else values).encode())


def _is_form(route: AppRoute) -> bool:
    return any(isinstance(field.field_info, Form) for field in fields(route, "body_params"))


def _wanted(route: AppRoute) -> Iterator[tuple[str, Any, bool]]:
    """Name, type and whether it must be there, of each field of a body: flat, as forms and most JSON bodies are."""
    for field in fields(route, "body_params"):
        if inside := fields_of(annotation_of(field)):
            for name, inner in inside.items():
                yield inner.alias or name, annotation_of(inner), is_required(inner)
        else:
            yield field.alias, annotation_of(field), is_required(field)
