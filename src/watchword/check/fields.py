"""Fields of requests and of models, as FastAPI keeps them with pydantic 2, and kept them with pydantic 1."""

from typing import Any


def annotation_of(field: Any) -> Any:  # noqa: ANN401 — FastAPI's, or one of a model
    """The type of a field, without `Optional` where pydantic 1 says it."""
    annotation = getattr(_info(field), "annotation", None)
    return getattr(field, "outer_type_", None) if annotation is None else annotation


def is_required(field: Any) -> bool:  # noqa: ANN401 — as above
    """Whether it must be there."""
    ask = getattr(_info(field), "is_required", None)
    return bool(getattr(field, "required", False) if ask is None else ask())


def fields_of(model: Any) -> dict[str, Any]:  # noqa: ANN401 — whatever is annotated
    """The fields of a model by name; none of what is no model."""
    if not isinstance(model, type):
        return {}
    fields = getattr(model, "model_fields" if hasattr(model, "model_fields") else "__fields__", None)
    return fields if isinstance(fields, dict) else {}


def _info(field: Any) -> Any:  # noqa: ANN401 — as above
    """What pydantic 2 calls a field; FastAPI's has it inside."""
    return getattr(field, "field_info", field)
