"""What bodies have in common."""

from pydantic import BaseModel, ConfigDict


class JsonRequest(BaseModel):
    """A JSON body: nothing in it that we do not know, and nothing of it in an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class JsonAnswer(BaseModel):
    """A JSON answer. Its schema is built when it is first needed: the start of an app need not wait for all of them."""

    model_config = ConfigDict(defer_build=True)
