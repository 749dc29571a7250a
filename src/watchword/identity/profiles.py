"""The host's own fields of a user, checked by the host's model."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from watchword.errors import InvalidInput

_NO_TEXT: Final = re.compile("[\x00\ud800-\udfff]")
_DEEPEST: Final = 32  # pydantic stops writing at about 250, which would make an account that nobody can read


def validate_profile(model: type[BaseModel], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Check fields against the host's model and return them as they are stored, as JSON.

    Raises:
        InvalidInput: Its text names the fields that do not fit, and repeats nothing that was sent.
    """
    try:
        checked = model.model_validate(dict(fields))
    except ValidationError as error:
        raise InvalidInput(text=describe_problems(error.errors(include_input=False), root="profile")) from None
    # Before, since writing as JSON hides some of it; and after, since a field of numbers reads "NaN" as one.
    if not is_storable(fields) or not is_storable(stored := checked.model_dump(mode="json")):
        raise InvalidInput("profile cannot be stored", text="profile: has a value that cannot be stored")
    return stored


def is_storable(value: object, *, depth: int = _DEEPEST) -> bool:
    """Whether databases and JSON take a value as it is.

    They do not take NUL, halves of surrogate pairs, numbers that JSON does not have, and nesting without end.
    """
    if isinstance(value, str):
        return _NO_TEXT.search(value) is None
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, Mapping):
        return depth > 0 and all(is_storable(part, depth=depth - 1) for pair in value.items() for part in pair)
    if isinstance(value, list | tuple | set | frozenset):
        return depth > 0 and all(is_storable(part, depth=depth - 1) for part in value)
    return True


_QUOTING: Final = {"value_error", "assertion_error", "union_tag_invalid", "uuid_parsing", "timezone_offset"}
"""Kinds of problems whose words quote what was sent, or may: a validator's own are the host's."""


def describe_problems(problems: Sequence[Mapping[str, Any]], *, root: str = "") -> str:
    """Say what is wrong with which field, without a value that was sent or a name that is not ours."""
    return "; ".join(dict.fromkeys(_describe(problem, root) for problem in problems))


def _describe(problem: Mapping[str, Any], root: str) -> str:
    steps = [step for step in problem["loc"] if isinstance(step, str) and step != "body"]
    if problem["type"] == "extra_forbidden":
        steps, message = steps[:-1], "has a field that is not known"
    elif problem["type"] in _QUOTING:
        message = "not valid"
    else:
        message = str(problem["msg"])
    # Below the first step, the names may be keys that the caller made up.
    path = ".".join([root, *steps[:1]] if root else steps[:1])
    return f"{path}: {message}" if path else message[:1].upper() + message[1:]
