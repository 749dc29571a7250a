"""Models that routes answer with, as pydantic 2 describes them."""

from typing import Any


def model_fields(model: Any) -> dict[str, Any] | None:  # noqa: ANN401 — whatever is annotated
    """The fields of a pydantic model; None for what is none, and for those of pydantic 1, which say it otherwise."""
    is_model = isinstance(model, type) and hasattr(model, "model_config")
    return getattr(model, "model_fields", None) if is_model else None
