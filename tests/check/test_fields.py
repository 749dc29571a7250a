"""Fields of requests, where FastAPI describes them with pydantic 1 too."""

from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel, v1
from pydantic.v1.fields import ModelField

from watchword.check.fields import annotation_of, fields_of, is_required
from watchword.check.subject import body_fields


class NewLogin(BaseModel):
    username: str
    password: str | None = None


class OldLogin(v1.BaseModel):
    username: str
    password: str | None = None


def old_field() -> ModelField:
    """What a FastAPI of its time makes of `data: OldLogin`."""
    return ModelField(name="data", type_=OldLogin, class_validators=None, model_config=v1.BaseConfig)


@pytest.mark.parametrize("model", [NewLogin, OldLogin])
def test_the_fields_of_a_model_are_known_with_each_pydantic(model: Any) -> None:
    known = {name: (annotation_of(field), is_required(field)) for name, field in fields_of(model).items()}
    assert known["username"] == (str, True)
    assert known["password"][1] is False


def test_a_body_of_pydantic_1_is_read_as_its_fields() -> None:
    dependant = SimpleNamespace(body_params=[old_field()], dependencies=[])
    route: Any = SimpleNamespace(route=SimpleNamespace(dependant=dependant))
    assert list(body_fields(route)) == ["data", "username", "password"]


@pytest.mark.parametrize("annotation", [None, str, list[str], NewLogin | None])
def test_what_is_no_model_has_no_fields(annotation: Any) -> None:
    assert fields_of(annotation) == {}
