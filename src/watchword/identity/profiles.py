"""The host's own fields of a user, checked by the host's model."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from watchword.errors import InvalidInput


def validate_profile(model: type[BaseModel], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Check fields against the host's model and return them as they are stored, as JSON.

    Raises:
        InvalidInput: Its text names the fields that do not fit, and repeats nothing that was sent.
    """
    try:
        stored: dict[str, Any] = model.model_validate(dict(fields)).model_dump(mode="json")
    except ValidationError as error:
        raise InvalidInput(text=describe_problems(error.errors(include_input=False), root="profile")) from None
    return stored


def describe_problems(problems: list[Any], *, root: str = "") -> str:
    """Say what is wrong with which field, without repeating what was in it."""
    parts = []
    for problem in problems:
        path = ".".join(str(step) for step in ([root] if root else []) + [*problem["loc"]] if step != "body")
        parts.append(f"{path}: {_without_input(problem)}" if path else _without_input(problem))
    return "; ".join(parts)


def _without_input(problem: Mapping[str, Any]) -> str:
    # A validator's own words may quote what it was given; pydantic's fixed messages do not.
    return "not valid" if problem["type"] in {"value_error", "assertion_error"} else str(problem["msg"])
