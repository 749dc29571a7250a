"""Rows 1 to 13: what is no good access token."""

import base64
import hashlib
import hmac
import json
import shutil
import socket
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.attacks.conftest import Refused, make_forge
from tests.attacks.forge import Forge
from tests.conftest import SCOPES, Client, make_app, make_settings

from watchword import Watchword
from watchword.crypto import base64url, jwt
from watchword.crypto.keys import generate_key
from watchword.settings import SigningAlgorithm


@pytest.fixture(scope="module")
def auth(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Watchword[Any]:
    path = shutil.copy(sqlite_template, tmp_path_factory.mktemp("guard") / "watchword.db")
    return Watchword(make_settings(f"sqlite+aiosqlite:///{path}"), scopes=SCOPES)


@pytest.fixture(scope="module")
def client(auth: Watchword[Any]) -> Iterator[Client]:
    """One app for all: what is refused changes nothing."""
    with Client(make_app(auth)) as client:
        yield client


@pytest.fixture(scope="module")
def forge(client: Client, auth: Watchword[Any]) -> Forge:
    return make_forge(client, auth)


def unsigned(forge: Forge, header: dict[str, Any], signature: str = "") -> str:
    parts = (json.dumps(part).encode() for part in ({**forge.header, **header}, forge.claims))
    return ".".join(map(base64url.encode, parts)) + "." + signature


@pytest.mark.parametrize("algorithm", ["none", "None", "nOnE", "NONE", ""])
def test_row_01_alg_none_and_empty_signatures(forge: Forge, refused_by_guard: Refused, algorithm: str) -> None:
    refused_by_guard(unsigned(forge, {"alg": algorithm}))
    refused_by_guard(unsigned(forge, {"alg": algorithm}, forge.token().rpartition(".")[2]))
    refused_by_guard(unsigned(forge, {}))
    refused_by_guard(forge.token({"alg": algorithm}))


def test_row_02_hs256_keyed_with_our_public_key(forge: Forge, auth: Watchword[Any], refused_by_guard: Refused) -> None:
    public = forge.key._verifying
    keys = [
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint),
        json.dumps(forge.key.public_jwk).encode(),
        json.dumps(auth.use_cases.keyring.keys.jwks()).encode(),
    ]
    for key in keys:
        signing_input = unsigned(forge, {"alg": "HS256"}).rpartition(".")[0]
        signature = hmac.new(key, signing_input.encode(), hashlib.sha256).digest()
        refused_by_guard(f"{signing_input}.{base64url.encode(signature)}")


@pytest.mark.parametrize(
    "kid",
    ["../../dev/null", "' OR 1=1 --", "a\x00b", 1, ["x"], {"a": 1}, None, True, "k" * 10_000, "", ...],
    ids=["path", "sql", "nul", "int", "list", "object", "null", "bool", "long", "empty", "missing"],
)
def test_row_03_a_kid_selects_among_our_keys_and_touches_nothing(
    forge: Forge, refused_by_guard: Refused, auth: Watchword[Any], monkeypatch: pytest.MonkeyPatch, kid: object
) -> None:
    refused_by_guard(forge.token({"kid": kid}))
    expected = jwt.Expected("at+jwt", "http://localhost:8000", "http://localhost:8000")

    def touched(*_arguments: object, **_options: object) -> None:
        raise AssertionError("a file or the network was touched")

    with monkeypatch.context() as patch:
        patch.setattr(socket.socket, "connect", touched)
        patch.setattr("builtins.open", touched)
        with pytest.raises(jwt.BadToken):
            jwt.decode(
                forge.token({"kid": kid}), keys=auth.open_session.issue.keyring.keys, expected=expected, now=time.time()
            )


@pytest.mark.parametrize(
    "header",
    [
        {"jku": "http://127.0.0.1:9/jwks"},
        {"x5u": "http://127.0.0.1:9/cert"},
        {"jwk": {"kty": "oct", "k": "AAAA"}},
        {"x5c": ["AAAA"]},
        {"x5t": "AAAA"},
    ],
)
def test_row_04_keys_that_a_token_brings_are_not_used(
    forge: Forge, refused_by_guard: Refused, monkeypatch: pytest.MonkeyPatch, header: dict[str, Any]
) -> None:
    def connect(*_arguments: object) -> None:
        raise AssertionError("an outbound request")

    monkeypatch.setattr(socket.socket, "connect", connect)
    refused_by_guard(forge.token(header))
    own = generate_key(SigningAlgorithm.ES256)  # signed by the key the token brings
    brought = {**forge.header, "kid": own.kid, "jwk": dict(own.public_jwk or {})}
    refused_by_guard(forge.raw(json.dumps(brought).encode(), json.dumps(forge.claims).encode(), signer=own))


@pytest.mark.parametrize(
    "header",
    [{"crit": ["exp"]}, {"crit": []}, {"crit": ["b64"], "b64": False}, {"b64": False}, {"b64": True}, {"crit": "x"}],
)
def test_row_05_crit_and_b64(forge: Forge, refused_by_guard: Refused, header: dict[str, Any]) -> None:
    refused_by_guard(forge.token(header))


def test_row_06_duplicate_keys(forge: Forge, refused_by_guard: Refused) -> None:
    header, claims = json.dumps(forge.header).encode(), json.dumps(forge.claims).encode()
    refused_by_guard(forge.raw(header[:-1] + b', "alg": "none"}', claims))
    refused_by_guard(forge.raw(b'{"alg": "ES256", ' + header[1:], claims))
    refused_by_guard(forge.raw(header, claims[:-1] + b', "sub": "somebody else"}'))
    refused_by_guard(forge.raw(header, claims[:-1] + b', "x": {"a": 1, "a": 2}}'))


def test_row_06_other_spellings_of_base64(forge: Forge, refused_by_guard: Refused) -> None:
    good = forge.token()
    header, payload, signature = good.split(".")
    for spelling in (
        f"{header}=.{payload}.{signature}",
        f"{header}.{payload}=.{signature}",
        f"{header}.{payload}.{signature}==",
        f"{header}.{payload}.{base64.b64encode(base64url.decode(signature)).decode()}",
        good + ".",
        "." + good,
        good.replace(".", ".."),
    ):
        refused_by_guard(spelling)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twin = alphabet[alphabet.index(signature[-1]) ^ 1]  # the last character's low bits carry no data
    refused_by_guard(good[:-1] + twin)


def test_row_06_white_space_in_a_token_is_no_token(forge: Forge, client: Client) -> None:
    good = forge.token()
    for text in (f"{good[:50]} {good[50:]}", f"{good[:50]}\t{good[50:]}", f"{good} x"):
        answer = client.get("/mine", headers={"Authorization": f"Bearer {text}"})
        assert answer.status_code in {400, 401}
        assert "www-authenticate" in answer.headers


def raw_claim(forge: Forge, name: str, literal: str) -> str:
    claims = json.dumps({**forge.claims, name: "HERE"}).replace('"HERE"', literal)
    return forge.raw(json.dumps(forge.header).encode(), claims.encode())


@pytest.mark.parametrize(
    "literal",
    ["1", "0", "-1", '"9999999999"', "NaN", "Infinity", "1e400", "true", "null", "9999999999.5", "[9999999999]", "{}"],
)
def test_row_07_exp_that_has_passed_or_is_no_integer(forge: Forge, refused_by_guard: Refused, literal: str) -> None:
    refused_by_guard(raw_claim(forge, "exp", literal))


def test_row_07_exp_missing_or_just_passed(forge: Forge, refused_by_guard: Refused) -> None:
    refused_by_guard(forge.token(claims={"exp": ...}))
    refused_by_guard(forge.token(claims={"exp": int(time.time())}))


@pytest.mark.parametrize("claim", ["nbf", "iat"])
def test_row_08_not_yet_valid_beyond_the_leeway(
    forge: Forge, auth: Watchword[Any], refused_by_guard: Refused, claim: str
) -> None:
    refused_by_guard(forge.token(claims={claim: int(time.time()) + 35}))
    refused_by_guard(raw_claim(forge, claim, '"1"'))
    refused_by_guard(raw_claim(forge, claim, "true"))
    now = 1_000_000.0
    expected = jwt.Expected("at+jwt", "http://localhost:8000", "http://localhost:8000", leeway=30)
    for ahead, good in ((29, True), (30, True), (31, False)):  # to the second
        token = forge.token(claims={"iat": 1_000_000, "exp": 1_000_900, claim: 1_000_000 + ahead})
        if good:
            jwt.decode(token, keys=auth.open_session.issue.keyring.keys, expected=expected, now=now)
        else:
            with pytest.raises(jwt.BadToken):
                jwt.decode(token, keys=auth.open_session.issue.keyring.keys, expected=expected, now=now)


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "http://localhost:8001"},
        {"aud": "http://localhost"},
        {"aud": "http://localhost:80000"},
        {"aud": ["http://localhost:8000", 1]},
        {"aud": []},
        {"aud": {"http://localhost:8000": 1}},
        {"aud": None},
        {"aud": ...},
        {"iss": "http://localhost:8000/"},
        {"iss": "http://LOCALHOST:8000"},
        {"iss": ["http://localhost:8000"]},
        {"iss": ""},
        {"iss": ...},
    ],
)
def test_row_09_another_audience_or_issuer(forge: Forge, refused_by_guard: Refused, claims: dict[str, Any]) -> None:
    refused_by_guard(forge.token(claims=claims))


@pytest.mark.parametrize(
    "type_",
    ["JWT", "jwt", "mfa+jwt", "logout+jwt", "id+jwt", "AT+JWT", "application/at+jwt", "", None, 1, ["at+jwt"], ...],
)
def test_row_10_a_token_of_another_type(forge: Forge, refused_by_guard: Refused, type_: object) -> None:
    refused_by_guard(forge.token({"typ": type_}))


@pytest.mark.parametrize("opaque", ["wwr_abc", "wwk_" + "a" * 60, "wwa_x.y.z", "a.b", "a.b.c", "..", "a.b.c.d.e"])
def test_row_10_opaque_tokens(refused_by_guard: Refused, opaque: str) -> None:
    refused_by_guard(opaque)


@pytest.mark.parametrize(
    "claims",
    [{"sub": ...}, {"sub": "not a uuid"}, {"sub": ""}, {"sub": 1}, {"client_id": ...}, {"jti": ...}, {"epoch": ...},
     {"amr": [1]}, {"amr": [["pwd"]]}, {"amr": {"pwd": 1}}, {"client_id": ""}, {"client_id": ["first-party"]},
     {"epoch": "0"}, {"epoch": True}, {"epoch": 1}, {"epoch": -1}, {"scope": ...}, {"scope": ["orders:read"]},
     {"amr": ...}, {"amr": "pwd"}, {"auth_time": ...}, {"auth_time": 1e300}, {"auth_time": 10**30}, {"exp": 10**30},
     {"sub": "01900000-0000-7000-8000-000000000000"}],
)  # fmt: skip
def test_row_10_claims_that_are_missing_or_of_another_type(
    forge: Forge, refused_by_guard: Refused, claims: dict[str, Any]
) -> None:
    refused_by_guard(forge.token(claims=claims))


@pytest.mark.parametrize("spell", [str.upper, "urn:uuid:{}".format, "{{{}}}".format, lambda id_: id_.replace("-", "")])
def test_row_10_another_spelling_of_the_same_subject(
    forge: Forge, refused_by_guard: Refused, spell: Callable[[str], str]
) -> None:
    refused_by_guard(forge.token(claims={"sub": spell(forge.claims["sub"])}))


def test_row_12_encrypted_tokens_are_refused_at_once_in_flat_memory(forge: Forge, refused_by_guard: Refused) -> None:
    bomb = base64url.encode(zlib.compress(b"0" * 5_000_000))
    zipped = base64url.encode(json.dumps({"alg": "dir", "enc": "A256GCM", "zip": "DEF"}).encode())
    slow = base64url.encode(json.dumps({"alg": "PBES2-HS512+A256KW", "enc": "A256GCM", "p2c": 2**31}).encode())
    tracemalloc.start()
    try:
        for token in (f"{zipped}..{bomb[:4]}.{bomb}.{bomb[:8]}", f"{slow}.a.a.a.a", f"{slow}.{bomb}.a"):
            started = time.perf_counter()
            refused_by_guard(token)
            assert time.perf_counter() - started < 2
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
    refused_by_guard(forge.token({"zip": "DEF"}))
    refused_by_guard(forge.token({"enc": "A256GCM"}))


def test_row_13_json_without_end_and_tokens_without_end(forge: Forge, refused_by_guard: Refused) -> None:
    header = json.dumps(forge.header).encode()
    refused_by_guard(forge.raw(header, b"[" * 5000))  # fits the size cap, and is too deep
    refused_by_guard(forge.raw(header, b"[" * 200_000 + b"]" * 200_000))
    refused_by_guard(forge.raw(header, b'{"a":' * 1000 + b"1" + b"}" * 1000))
    refused_by_guard("a" * 10_000_000)
    refused_by_guard("a" * 8193)


@pytest.mark.parametrize("payload", [b"null", b"[]", b'"text"', b"1", b"", b"\xff\xfe", b'{"a":1}x', b"{'a':1}"])
def test_row_13_a_payload_that_is_no_object(forge: Forge, refused_by_guard: Refused, payload: bytes) -> None:
    refused_by_guard(forge.raw(json.dumps(forge.header).encode(), payload))
    refused_by_guard(forge.raw(payload, json.dumps(forge.claims).encode()))


def test_a_key_that_is_not_ours_signs_nothing(forge: Forge, refused_by_guard: Refused) -> None:
    other = generate_key(SigningAlgorithm.ES256)
    header = json.dumps(forge.header).encode()
    refused_by_guard(forge.raw(header, json.dumps(forge.claims).encode(), signer=other))
    refused_by_guard(forge.token({"kid": other.kid}))
    refused_by_guard(forge.token({"alg": "RS256"}))
