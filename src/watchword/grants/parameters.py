"""The parameters of a token request, after the form was parsed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from watchword.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class Parameters:
    """Names and values, each name once. A parameter without a value counts as omitted (RFC 6749 §3.2)."""

    _values: Mapping[str, str] = field(repr=False)

    def required(self, name: str) -> str:
        """The value.

        Raises:
            InvalidRequest: It is missing or empty.
        """
        value = self._values.get(name)
        if not value:
            raise InvalidRequest(f"{name} is missing", text=f"The parameter {name} is missing")
        return value

    def optional(self, name: str) -> str | None:
        """The value, or None."""
        return self._values.get(name) or None
