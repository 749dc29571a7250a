"""Rows 13 and 26 inside a profile: values that a database or JSON cannot hold, whatever model the host has."""

from functools import partial
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field
from tests.conftest import EMAIL, PASSWORD, SCOPES, Client, make_app, make_settings

from watchword import Watchword
from watchword.errors import InvalidInput

JSON_TYPE = {"Content-Type": "application/json"}


class LooseProfile(BaseModel):
    """As loose as a model can be."""

    about: str = ""
    ratio: float = 0.0
    tags: list[str] = []
    anything: Any = None


@pytest.fixture
def auth(database_url: str) -> Watchword[Any]:
    return Watchword(make_settings(database_url), scopes=SCOPES, profile=LooseProfile)


def nested(opening: str, closing: str, depth: int) -> str:
    return f'{{"anything": {opening * depth}1{closing * depth}}}'


BAD = {
    "a half of a surrogate pair": r'{"about": "\ud800"}',
    "the other half": r'{"about": "a\udfff"}',
    "NUL": r'{"about": "a\u0000b"}',
    "NUL in a list": r'{"tags": ["\u0000"]}',
    "a half in what is nested": r'{"anything": {"a": ["\udfff"]}}',
    "a half as a name": r'{"anything": {"\ud800": 1}}',
    "NUL as a name": r'{"anything": {"\u0000": 1}}',
    "NaN": '{"ratio": NaN}',
    "NaN as text": '{"ratio": "NaN"}',
    "infinity": '{"ratio": 1e400}',
    "infinity as text": '{"ratio": "-Infinity"}',
    "NaN in what is nested": '{"anything": [NaN]}',
    "nesting of 100": nested("[", "]", 100),
    "objects of 300": nested('{"a":', "}", 300),
    "nesting of 900": nested("[", "]", 900),
    "nesting without end": nested("[", "]", 100_000),
}


def test_row_26_a_profile_value_that_cannot_be_stored_is_refused_and_spoils_no_account(client: Client) -> None:
    client.sign_up()
    headers = client.log_in()
    for what, profile in BAD.items():
        change = client.patch("/auth/me", content=f'{{"profile": {profile}}}', headers={**headers, **JSON_TYPE})
        assert (change.status_code, change.json()["code"]) == (422, "invalid_input"), what
        body = f'{{"email": "b@example.com", "password": "{PASSWORD}", "profile": {profile}}}'
        sign_up = client.post("/auth/users", content=body, headers=JSON_TYPE)
        assert (sign_up.status_code, sign_up.json()["code"]) == (422, "invalid_input"), what
        assert client.get("/auth/me", headers=headers).json()["profile"] == LooseProfile().model_dump(), what


GOOD = {
    "a whole pair": r'{"about": "\ud83d\ude00"}',
    "right to left": r'{"about": "\u202eabc"}',
    "nesting of 30": nested("[", "]", 30),
}


@pytest.mark.parametrize("profile", GOOD.values(), ids=GOOD)
def test_row_26_what_is_text_and_json_is_kept_as_it_is(client: Client, profile: str) -> None:
    client.sign_up()
    headers = client.log_in()
    change = client.patch("/auth/me", content=f'{{"profile": {profile}}}', headers={**headers, **JSON_TYPE})
    assert change.status_code == 200, change.text
    assert client.get("/auth/me", headers=headers).json() == change.json()


def test_row_26_host_code_cannot_store_it_either(client: Client, auth: Watchword[Any]) -> None:
    assert client.portal is not None
    for bad in ({"about": "\ud800"}, {"ratio": float("nan")}, {"anything": {"\x00"}}):
        with pytest.raises(InvalidInput):
            client.portal.call(partial(auth.users.create, EMAIL, PASSWORD, profile=bad))
    assert client.portal.call(lambda: auth.users.find(EMAIL)) is None


class Cat(BaseModel):
    """One of two."""

    kind: Literal["cat"]


class Dog(BaseModel):
    """The other."""

    kind: Literal["dog"]


class ProfileOfKinds(BaseModel):
    """A model whose problems pydantic describes by what was sent."""

    pet: Cat | Dog | None = Field(None, discriminator="kind")


def test_an_answer_never_quotes_what_was_sent(sqlite_url: str) -> None:
    auth: Watchword[Any] = Watchword(make_settings(sqlite_url), profile=ProfileOfKinds)
    with Client(make_app(auth)) as client:
        client.sign_up()
        headers = client.log_in()
        refused = client.patch("/auth/me", json={"profile": {"pet": {"kind": "s3cret"}}}, headers=headers)
        assert (refused.status_code, "s3cret" in refused.text) == (422, False)
        refused = client.delete("/auth/sessions/~", headers=headers)
        assert (refused.status_code, "~" in refused.text) == (422, False)
