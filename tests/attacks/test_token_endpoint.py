"""Rows 20 to 27: what the token endpoint and sign-up take."""

import json
import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
from pwdlib.hashers.bcrypt import BcryptHasher
from tests.attacks.conftest import Refused
from tests.conftest import EMAIL, PASSWORD, Client, make_settings, on_both

from watchword import Watchword

FORM = {"grant_type": "password", "username": EMAIL, "password": PASSWORD}
FORM_TYPE = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def auth(database: str) -> Watchword[Any]:
    return Watchword(make_settings(database), scopes={"orders:read": "Read orders"})


def test_row_20_grant_type_missing_or_unknown(refused_by_token_endpoint: Refused) -> None:
    without = {name: value for name, value in FORM.items() if name != "grant_type"}
    refused_by_token_endpoint("invalid_request", data=without)
    refused_by_token_endpoint("invalid_request", data={**FORM, "grant_type": ""})
    for unknown in ("implicit", "Password", "password ", "urn:ietf:params:oauth:grant-type:device_code"):
        refused_by_token_endpoint("unsupported_grant_type", data={**FORM, "grant_type": unknown})


@pytest.mark.parametrize("name", ["grant_type", "username", "password", "scope", "client_id", "unknown"])
def test_row_21_a_parameter_twice(refused_by_token_endpoint: Refused, name: str) -> None:
    body = "grant_type=password&username=a&password=b&scope=c&client_id=d&unknown=e"
    refused_by_token_endpoint("invalid_request", content=f"{body}&{name}=again", headers=FORM_TYPE)
    refused_by_token_endpoint("invalid_request", content=f"{name}=&{body}", headers=FORM_TYPE)


def test_row_22_json_multipart_and_credentials_in_the_url(client: Client, refused_by_token_endpoint: Refused) -> None:
    client.sign_up()
    refused_by_token_endpoint("invalid_request", json=FORM)
    refused_by_token_endpoint("invalid_request", files={name: (None, value) for name, value in FORM.items()})
    refused_by_token_endpoint("invalid_request", params=FORM)
    refused_by_token_endpoint("invalid_request", params={"username": EMAIL}, data=FORM)
    refused_by_token_endpoint("invalid_request")
    refused_by_token_endpoint("invalid_request", content=b"\x00\xff", headers={"Content-Type": "text/plain"})
    assert client.post("/auth/token", data=FORM).status_code == 200


def test_row_23_get_on_the_token_endpoint(client: Client) -> None:
    for method in ("GET", "PUT", "DELETE"):
        answer = client.request(method, "/auth/token")
        assert answer.status_code == 405
        assert answer.headers["allow"] == "POST"
        assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("name", ["username", "password"])
def test_row_24_an_empty_username_or_password_counts_as_missing(refused_by_token_endpoint: Refused, name: str) -> None:
    answer = refused_by_token_endpoint("invalid_request", data={**FORM, name: ""})
    assert answer.json()["detail"] == f"The parameter {name} is missing"


def test_row_25_a_password_without_end_is_refused_before_hashing(
    client: Client, auth: Watchword[Any], refused_by_token_endpoint: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.sign_up()
    hasher = auth.use_cases.change_password.hashing.hasher

    def hashed(*_arguments: object) -> bool:
        raise AssertionError("it was hashed")

    with monkeypatch.context() as patch:
        patch.setattr(hasher, "verify", hashed)
        refused_by_token_endpoint("invalid_request", data={**FORM, "password": "x" * 1025})
        refused_by_token_endpoint("invalid_request", data={**FORM, "password": "x" * 1_000_000})
        refused_by_token_endpoint("invalid_request", status=413, data={**FORM, "password": "x" * 2_000_000})
        answer = client.post("/auth/users", json={"email": "b@example.com", "password": "x" * 1025})
        assert (answer.status_code, answer.json()["code"]) == (422, "weak_password")
        answer = client.post("/auth/users", json={"email": "b@example.com", "password": "x" * 2_000_000})
        assert (answer.status_code, answer.json()["code"]) == (413, "invalid_request")


@on_both
def test_row_25_a_username_without_end_is_nobody_before_it_is_parsed(
    client: Client, refused_by_token_endpoint: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.sign_up()

    def parsed(*_arguments: object, **_options: object) -> None:
        raise AssertionError("a megabyte was parsed on the event loop")

    endless = ("a." * 500_000 + "@example.com", "a@" + "b." * 400_000 + "com", '"' + "a" * 900_000 + '"@example.com')
    with monkeypatch.context() as patch:
        patch.setattr("watchword.identity.emails.validate_email", parsed)
        for username in endless:
            refused_by_token_endpoint("invalid_grant", data={**FORM, "username": username})
            answer = client.post("/auth/users", json={"email": username, "password": PASSWORD})
            assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")


@on_both
def test_row_25_the_73rd_byte_matters(client: Client, auth: Watchword[Any], refused_by_token_endpoint: Refused) -> None:
    long = "correct horse " * 5 + "ab"
    assert len(long) == 72
    client.sign_up(password=long + "c")
    assert client.ask_token(password=long + "c").status_code == 200
    refused_by_token_endpoint("invalid_grant", data={**FORM, "password": long + "d"})
    refused_by_token_endpoint("invalid_grant", data={**FORM, "password": long})
    call: Callable[..., Any] = client.portal.call  # type: ignore[union-attr]  # the client is started
    hashed = BcryptHasher(rounds=4).hash(long)
    call(lambda: auth.users.create("bcrypt@example.com", password_hash=hashed))
    refused_by_token_endpoint("invalid_grant", data={**FORM, "username": "bcrypt@example.com", "password": long + "c"})
    assert client.ask_token("bcrypt@example.com", long).status_code == 200


@on_both
@pytest.mark.parametrize(
    ("encoded", "error"),
    [
        ("%00", "invalid_request"),
        ("a%00b", "invalid_request"),
        ("%ED%A0%80", "invalid_request"),  # a lone surrogate
        ("%FF%FE", "invalid_request"),
        ("%C0%AF", "invalid_request"),  # an overlong slash
        ("%E2%80%AEevil", "invalid_grant"),  # a right-to-left override is text, and nobody's address or password
        ("%zz", "invalid_request"),
        ("100%", "invalid_request"),
    ],
)
@pytest.mark.parametrize("name", ["username", "password"])
def test_row_26_what_is_no_text_never_reaches_the_database(
    client: Client, refused_by_token_endpoint: Refused, name: str, encoded: str, error: str
) -> None:
    client.sign_up()
    fields = {"username": "alice%40example.com", "password": "x", name: encoded}
    body = "grant_type=password&" + "&".join(f"{key}={value}" for key, value in fields.items())
    refused_by_token_endpoint(error, content=body, headers=FORM_TYPE)


@on_both
@pytest.mark.parametrize("text", ["\x00", "a\x00b", "\ud800", "\udfff tail"])
@pytest.mark.parametrize("name", ["email", "password", "profile"])
def test_row_26_what_is_no_text_is_refused_at_sign_up(client: Client, name: str, text: str) -> None:
    fields: dict[str, Any] = {"email": EMAIL, "password": PASSWORD}
    fields[name] = {text: "x", "city": text} if name == "profile" else f"{text}{'x' * 20}@example.com"
    answer = client.post("/auth/users", content=json.dumps(fields), headers={"Content-Type": "application/json"})
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] == "invalid_input"


@pytest.mark.parametrize("body", [b"{", b"\xff", b'{"email": "\xff"}', b"[" * 100_000, b"null", b"", b"[]", b"1"])
def test_row_26_a_body_that_is_no_json_object(client: Client, body: bytes) -> None:
    answer = client.post("/auth/users", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] == "invalid_input"


@on_both
def test_row_27_passwords_are_compared_as_they_came(client: Client, refused_by_token_endpoint: Refused) -> None:
    composed = unicodedata.normalize("NFC", "pässwörter aus äpfeln")
    decomposed = unicodedata.normalize("NFD", composed)
    assert composed != decomposed
    client.sign_up(password=composed)
    assert client.ask_token(password=composed).status_code == 200
    refused_by_token_endpoint("invalid_grant", data={**FORM, "password": decomposed})


@on_both
@pytest.mark.parametrize(
    "twin", ["аlice@example.com", "ａlice@example.com", "alice@ｅxample.com", "alice＠example.com", "ⓐlice@example.com"]
)
def test_row_27_an_address_that_only_looks_the_same_is_nobody_and_cannot_sign_up(
    client: Client, refused_by_token_endpoint: Refused, twin: str
) -> None:
    client.sign_up()
    refused_by_token_endpoint("invalid_grant", data={**FORM, "username": twin})
    assert client.post("/auth/users", json={"email": twin, "password": PASSWORD}).status_code == 422


@on_both
def test_row_27_an_address_that_is_the_same_is_taken(client: Client) -> None:
    client.sign_up()
    for same in ("Alice@example.com", "alice@EXAMPLE.com", "ALICE@Example.Com"):
        answer = client.post("/auth/users", json={"email": same, "password": PASSWORD})
        assert (answer.status_code, answer.json()["code"]) == (409, "email_taken")
        assert client.ask_token(same).status_code == 200


def test_row_29_bad_client_authentication_says_so(client: Client, refused_by_token_endpoint: Refused) -> None:
    for value in ("Basic !!!", "Basic eA==", "Bearer x", "Basic Zmlyc3QtcGFydHk6c2VjcmV0", "Digest x"):
        answer = refused_by_token_endpoint("invalid_client", status=401, data=FORM, headers={"Authorization": value})
        assert answer.headers["www-authenticate"].startswith("Basic")
    refused_by_token_endpoint("invalid_client", status=401, data={**FORM, "client_id": "unknown"})
    refused_by_token_endpoint("invalid_client", status=401, data={**FORM, "client_secret": "secret"})
    both = {"Authorization": "Basic YTpi"}
    refused_by_token_endpoint("invalid_request", data={**FORM, "client_secret": "b"}, headers=both)
    client.sign_up()
    for headers in ({"Authorization": "Basic Og=="}, {"Authorization": "Basic Zmlyc3QtcGFydHk6"}, {}):
        fields = {**FORM, "client_id": "", "client_secret": ""}
        assert client.post("/auth/token", data=fields, headers=headers).status_code == 200
