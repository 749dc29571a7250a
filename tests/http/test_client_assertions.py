"""`private_key_jwt`: a client signs that it is itself (RFC 7523)."""

import logging
import time
from typing import Any

import pytest
from tests.conftest import SCOPES, Client, make_app, make_settings
from tests.http.clients import ISSUER, Service, Signer, assertion, basic, call

from watchword import Watchword

GRANT = {"grant_type": "client_credentials"}


def signing(client: Client, auth: Watchword[Any], *signers: Signer) -> Service:
    """A client that authenticates by its keys."""
    jwks = {"keys": [signer.public_jwk for signer in signers]}
    return Service(client, auth, auth_method="private_key_jwt", jwks=jwks)


def ask(service: Service, text: str, **form: str) -> Any:
    return service.post("/auth/token", GRANT, **assertion(text, **form))


def assert_refused(answer: Any) -> None:
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.json()["error_description"] == "Client authentication failed"
    assert answer.headers["www-authenticate"].startswith("Basic")


def test_a_signed_assertion_authenticates_once(database_url: str) -> None:
    auth: Watchword[Any] = Watchword(make_settings(database_url), scopes=SCOPES)
    signer = Signer()
    with Client(make_app(auth)) as client:
        service = signing(client, auth, signer)
        text = signer.sign(service.id)
        assert ask(service, text).status_code == 200
        assert_refused(ask(service, text))
        assert_refused(service.post("/auth/revoke", {"token": "x"}, **assertion(text)))
        assert ask(service, signer.sign(service.id, jti="a text that \U0001f600 is long " * 50)).status_code == 200
        assert ask(service, signer.sign(service.id, jti="\ud800")).status_code == 200


def test_each_algorithm_and_each_name_of_ours_will_do(client: Client, auth: Watchword[Any]) -> None:
    for algorithm in Signer.ALGORITHMS:
        signer = Signer(algorithm)
        service = signing(client, auth, signer)
        for audience in (ISSUER, f"{ISSUER}/auth/token", [ISSUER], [f"{ISSUER}/auth/token", ISSUER]):
            assert ask(service, signer.sign(service.id, aud=audience)).status_code == 200, (algorithm, audience)


def changed_assertions(now: int) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """Header and claims that make an assertion no good, one at a time."""
    return {
        "no aud": ({}, {"aud": ...}),
        "aud of others": ({}, {"aud": "https://elsewhere.example"}),
        "aud of others too": ({}, {"aud": [ISSUER, "https://elsewhere.example"]}),
        "aud with a slash": ({}, {"aud": f"{ISSUER}/"}),
        "aud empty": ({}, {"aud": []}),
        "aud odd": ({}, {"aud": [[ISSUER]]}),
        "no exp": ({}, {"exp": ...}),
        "expired": ({}, {"exp": now - 1}),
        "exp far away": ({}, {"exp": now + 7200}),
        "exp text": ({}, {"exp": str(now + 60)}),
        "exp true": ({}, {"exp": True}),
        "iat ahead": ({}, {"iat": now + 600}),
        "nbf ahead": ({}, {"nbf": now + 600}),
        "no jti": ({}, {"jti": ...}),
        "jti empty": ({}, {"jti": ""}),
        "jti a number": ({}, {"jti": 7}),
        "no iss": ({}, {"iss": ...}),
        "iss another": ({}, {"iss": "somebody"}),
        "iss a list": ({}, {"iss": []}),
        "sub another": ({}, {"sub": "somebody", "iss": "somebody"}),
        "sub of no database": ({}, {"sub": "a\x00\ud800", "iss": "a\x00\ud800"}),
        "alg none": ({"alg": "none"}, {}),
        "alg HS256": ({"alg": "HS256"}, {}),
        "alg a list": ({"alg": []}, {}),
        "kid another": ({"kid": "another"}, {}),
        "kid a list": ({"kid": []}, {}),
        "typ of an access token": ({"typ": "at+jwt"}, {}),
        "typ a list": ({"typ": []}, {}),
        "jwk": ({"jwk": {}}, {}),
        "jku": ({"jku": "https://elsewhere.example"}, {}),
        "crit": ({"crit": []}, {}),
    }


def test_row_11_an_assertion_that_is_not_as_it_must_be_is_no_client(
    client: Client, auth: Watchword[Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "watchword")
    signer = Signer()
    service = signing(client, auth, signer)
    for header, claims in changed_assertions(int(time.time())).values():
        answer = ask(service, signer.sign(service.id, header, **claims))
        assert_refused(answer)
        assert ask(service, signer.sign(service.id)).status_code == 200
    assert "eyJ" not in caplog.text


def test_row_11_what_is_no_assertion_of_the_client_is_refused(client: Client, auth: Watchword[Any]) -> None:
    signer, stranger = Signer(), Signer()
    service, other = signing(client, auth, signer), Service(client, auth)
    access_token = other.ask().json()["access_token"]
    good = signer.sign(service.id)
    for text in (
        stranger.sign(service.id),
        signer.sign(other.id),
        signer.sign("first-party"),
        access_token,
        "x",
        "a.b.c",
        "....",
        "eyJ" * 4000,
        good[:-2],
        good.rpartition(".")[0] + ".",
    ):
        assert_refused(ask(service, text))
    assert ask(service, good).status_code == 200


def test_a_client_may_sign_without_a_kid_and_have_several_keys(client: Client, auth: Watchword[Any]) -> None:
    old, new = Signer(kid=None), Signer("RS256", kid="new")
    service = signing(client, auth, old, new)
    for signer in (old, new):
        assert ask(service, signer.sign(service.id)).status_code == 200


def test_the_algorithm_is_the_keys_and_not_the_assertions(client: Client, auth: Watchword[Any]) -> None:
    signer = Signer("RS256")
    service = Service(client, auth, auth_method="private_key_jwt", jwks={**signer.public_jwk, "alg": "PS256"})
    assert_refused(ask(service, signer.sign(service.id)))


def test_a_new_key_is_good_at_once_and_a_removed_one_no_more(client: Client, auth: Watchword[Any]) -> None:
    old, new = Signer(), Signer()
    service = signing(client, auth, old)
    assert ask(service, old.sign(service.id)).status_code == 200
    assert_refused(ask(service, new.sign(service.id)))
    call(client, auth.clients.change, service.id, jwks=new.public_jwk)
    assert ask(service, new.sign(service.id)).status_code == 200
    assert_refused(ask(service, old.sign(service.id)))


def test_a_secret_is_of_no_use_to_a_client_that_signs(client: Client, auth: Watchword[Any]) -> None:
    signer = Signer()
    service, other = signing(client, auth, signer), Service(client, auth)
    assert_refused(service.post("/auth/token", {**GRANT, "client_id": service.id, "client_secret": other.secret}))
    assert_refused(service.post("/auth/token", {**GRANT, "client_id": service.id}))
    assert_refused(other.post("/auth/token", GRANT, **assertion(signer.sign(other.id))))


def test_an_assertion_goes_with_nothing_that_contradicts_it(client: Client, auth: Watchword[Any]) -> None:
    signer = Signer()
    service = signing(client, auth, signer)
    saml = "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"
    for form, status, error in (
        ({"client_id": "another"}, 401, "invalid_client"),
        ({"client_secret": "x"}, 400, "invalid_request"),
        ({"client_assertion": ""}, 400, "invalid_request"),
        ({"client_assertion_type": ""}, 400, "invalid_request"),
        ({"client_assertion_type": saml}, 401, "invalid_client"),
    ):
        answer = ask(service, signer.sign(service.id), **form)
        assert (answer.status_code, answer.json()["error"]) == (status, error), form
    in_header = assertion(signer.sign(service.id)) | {"headers": basic(service.id, "wws_x")}
    answer = service.post("/auth/token", GRANT, **in_header)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert ask(service, signer.sign(service.id), client_id=service.id).status_code == 200
