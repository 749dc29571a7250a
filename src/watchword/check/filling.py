"""A route's path and query with harmless values in them, so that it can be asked."""

import datetime as dt
import enum
import re
import types
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin
from urllib.parse import quote, urlencode

from watchword.check.credentials import is_credential
from watchword.check.fields import annotation_of, is_required
from watchword.check.routes import AppRoute

_PARAMETER: Final = re.compile(r"{(\w+)(?::(\w+))?}")
_UUID: Final = "00000000-0000-4000-8000-000000000001"
_BY_CONVERTOR: Final = {"int": "1", "float": "1.0", "uuid": _UUID}
_BY_TYPE: Final[tuple[tuple[type, str], ...]] = (  # the first that fits: a bool is an int, a datetime a date
    (bool, "false"),
    (int, "1"),
    (float, "1.0"),
    (Decimal, "1"),
    (uuid.UUID, _UUID),
    (dt.datetime, "2000-01-01T00:00:00Z"),
    (dt.date, "2000-01-01"),
    (dt.time, "00:00:00"),
    (dt.timedelta, "60"),
)
_ANYTHING: Final = "1"


def filled_path(route: AppRoute) -> str:
    """Its path, with a value of its type for each parameter: `/orders/1`."""
    types_by_name = {field.alias: annotation_of(field) for field in fields(route, "path_params")}

    def value(match: re.Match[str]) -> str:
        name, convertor = match.groups()
        return _BY_CONVERTOR.get(convertor or "") or quote(value_of(types_by_name.get(name, str)))

    return _PARAMETER.sub(value, route.path)


def filled_query(route: AppRoute) -> str:
    """A query string with what it cannot do without; a credential is left out."""
    return urlencode(
        {
            field.alias: value_of(annotation_of(field))
            for field in fields(route, "query_params")
            if is_required(field) and not is_credential(field.alias)
        }
    )


def fields(route: AppRoute, kind: str) -> Iterator[Any]:
    """FastAPI's fields of one kind, such as `header_params`: the handler's own, and those of its dependencies."""
    waiting = [] if route.dependant is None else [route.dependant]
    while waiting:
        dependant = waiting.pop(0)
        yield from getattr(dependant, kind)
        waiting.extend(dependant.dependencies)


def value_of(annotation: Any) -> str:  # noqa: ANN401 — any type
    """A value of a type, as it is written in a URL or a form."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return str(inner[0])
    if origin in {Annotated, Union, types.UnionType, list, set, tuple, frozenset} and inner:
        return value_of(next((each for each in inner if each is not type(None)), str))
    if not isinstance(annotation, type):
        return _ANYTHING
    if issubclass(annotation, enum.Enum):
        return str(next((member.value for member in annotation), _ANYTHING))
    return next((value for known, value in _BY_TYPE if issubclass(annotation, known)), _ANYTHING)
