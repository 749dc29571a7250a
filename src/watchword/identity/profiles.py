"""The host's own fields of a user, checked by the host's model."""

from collections.abc import Mapping, Sequence
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


def describe_problems(problems: Sequence[Mapping[str, Any]], *, root: str = "") -> str:
    """Say what is wrong with which field, without a value that was sent or a name that is not ours."""
    return "; ".join(dict.fromkeys(_describe(problem, root) for problem in problems))


def _describe(problem: Mapping[str, Any], root: str) -> str:
    steps = [step for step in problem["loc"] if isinstance(step, str) and step != "body"]
    if problem["type"] == "extra_forbidden":
        steps, message = steps[:-1], "has a field that is not known"
    elif problem["type"] in {"value_error", "assertion_error"}:  # a validator's own words may quote what it was given
        message = "not valid"
    else:
        message = str(problem["msg"])
    # Below the first step, the names may be keys that the caller made up.
    path = ".".join([root, *steps[:1]] if root else steps[:1])
    return f"{path}: {message}" if path else message[:1].upper() + message[1:]
