"""JWTs: written compactly, read strictly (RFC 7519, RFC 8725, RFC 9068).

The reader takes the algorithm from our key and never from the token, requires every claim it relies on with exactly the
type we write, and refuses whatever two parsers could read in two ways.
"""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NoReturn

from pydantic_core import to_json

from watchword.crypto import base64url
from watchword.crypto.keys import KeySet, SigningKey

MAX_TOKEN_BYTES: Final = 8192
ACCESS_TOKEN_TYPE: Final = "at+jwt"  # noqa: S105 — a media type (RFC 9068 §2.1)
ID_TOKEN_TYPE: Final = "JWT"  # noqa: S105 — as above
LOGOUT_TOKEN_TYPE: Final = "logout+jwt"  # noqa: S105 — a media type (OpenID Connect Back-Channel Logout §2.4)
PENDING_LOGIN_TYPE: Final = "mfa+jwt"
"""Of a token that says: the password was right, a second factor is to come."""
_JWS_PARTS: Final = 3
_LAST_SECOND: Final = 253_402_300_799  # of the year 9999
# Headers that make a verifier fetch or trust a key, or skip a check. We write none of them, so none is read.
_REFUSED_HEADERS: Final = frozenset({"jku", "jwk", "x5u", "x5c", "x5t", "x5t#S256", "crit", "b64", "zip", "enc"})

Claims = Mapping[str, Any]


class BadToken(Exception):
    """The token is not acceptable; the message says why, for the log."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token must say to be taken.

    Attributes:
        type: The `typ` header, which keeps one kind of token from being used as another (RFC 8725 §3.11).
        issuer: The exact `iss`.
        audience: The value that `aud` must be or contain.
        strings: Further claims that must be non-empty strings.
        integers: Further claims that must be integers.
        leeway: How many seconds in the future `iat` and `nbf` may lie.
        may_have_expired: Whether it says who somebody was, and lets nobody in.
    """

    type: str
    issuer: str
    audience: str
    strings: Collection[str] = ()
    integers: Collection[str] = ()
    leeway: float = 0
    may_have_expired: bool = False


def encode(claims: Claims, *, key: SigningKey, type_: str) -> str:
    """Sign claims as a compact JWS (RFC 7515 §3.1)."""
    signing_input = f"{_header(key.algorithm.value, key.kid, type_)}.{_part(claims)}"
    return f"{signing_input}.{base64url.encode(key.sign(signing_input.encode('ascii')))}"


def decode(token: str, *, keys: KeySet, expected: Expected, now: float) -> Claims:
    """Verify a token and return its claims. Nothing but `keys` is consulted.

    Args:
        token: The compact serialisation, as received.
        keys: The keys in memory; `kid` only selects among them.
        expected: What it must say.
        now: Unix time in seconds.

    Raises:
        BadToken: Anything at all is not as it must be.
    """
    parsed = parse(token)
    key = _select_key(parsed.header, keys, expected.type)
    if not key.verify(parsed.signing_input, parsed.signature):
        raise BadToken("signature does not verify")
    claims = parsed.claims()
    _check_claims(claims, expected, now)
    return claims


@dataclass(frozen=True, slots=True)
class Parsed:
    """A compact JWS that was read and not verified: nothing it says counts yet."""

    header: Claims
    signing_input: bytes
    signature: bytes
    _payload: str

    def claims(self) -> Claims:
        """The payload, strict JSON.

        Raises:
            BadToken: It is not.
        """
        return _object(self._payload, "payload")


def parse(token: str) -> Parsed:
    """Read a compact JWS (RFC 7515 §3.1), without a look at its signature.

    Raises:
        BadToken: It is too long or malformed, or its header would make a verifier fetch or trust a key.
    """
    if len(token) > MAX_TOKEN_BYTES or not token.isascii():
        raise BadToken("longer than 8 KiB, or not ASCII")
    parts = token.split(".")
    if len(parts) != _JWS_PARTS:
        raise BadToken("not a compact JWS")
    header = _object(parts[0], "header")
    if refused := _REFUSED_HEADERS.intersection(header):
        raise BadToken(f"header has {', '.join(sorted(refused))}")
    try:
        signature = base64url.decode(parts[2])
    except ValueError:
        raise BadToken("signature is not base64url") from None
    return Parsed(header, token[: -len(parts[2]) - 1].encode("ascii"), signature, parts[1])


@lru_cache(maxsize=64)
def _header(algorithm: str, kid: str, type_: str) -> str:
    return _part({"alg": algorithm, "kid": kid, "typ": type_})


def _part(value: Claims) -> str:
    return base64url.encode(to_json(value))


def _select_key(header: Claims, keys: KeySet, type_: str) -> SigningKey:
    kid = header.get("kid")
    key = keys.by_kid.get(kid) if isinstance(kid, str) else None
    if key is None:
        raise BadToken("kid is not one of our keys")
    if header.get("alg") != key.algorithm:  # the key decides; a token that says otherwise is an attack (RFC 8725 §3.1)
        raise BadToken("alg is not the key's")
    if header.get("typ") != type_:
        raise BadToken(f"typ is not {type_}")
    return key


def _check_claims(claims: Claims, expected: Expected, now: float) -> None:
    if claims.get("iss") != expected.issuer:
        raise BadToken("iss is not ours")
    audience = claims.get("aud")
    if audience != expected.audience and not (
        isinstance(audience, list) and all(isinstance(one, str) for one in audience) and expected.audience in audience
    ):
        raise BadToken("aud does not name us")
    require(claims, strings=expected.strings, integers=("iat", *expected.integers))
    check_times(claims, now=now, leeway=expected.leeway, may_have_expired=expected.may_have_expired)


def check_times(claims: Claims, *, now: float, leeway: float, may_have_expired: bool = False) -> None:
    """Check `exp`, which must be there, and `iat` and `nbf`, which may be (RFC 7519 §4.1).

    Raises:
        BadToken: It has expired, is not good yet, or one of them is no number.
    """
    require(claims, integers=("exp",))
    if now >= claims["exp"] and not may_have_expired:
        raise BadToken("expired")
    for name in ("iat", "nbf"):
        if name in claims:
            require(claims, integers=(name,))
            if claims[name] > now + leeway:
                raise BadToken(f"{name} lies in the future")


def require(claims: Claims, *, strings: Collection[str] = (), integers: Collection[str] = ()) -> None:
    """Require claims of a type: non-empty strings, and numbers that a calendar holds.

    Raises:
        BadToken: One is missing or of another type.
    """
    _check_type(claims, integers, _is_number, "a number in range")
    _check_type(claims, strings, lambda value: isinstance(value, str) and value != "", "a string")


def _check_type(claims: Claims, names: Collection[str], fits: Callable[[object], bool], kind: str) -> None:
    for name in names:
        if not fits(claims.get(name)):
            raise BadToken(f"{name} is not {kind}")


def _is_number(value: object) -> bool:
    # bool is an int in Python; and what no calendar holds would fail later, as an error and not as a refusal
    return type(value) is int and 0 <= value <= _LAST_SECOND


def _object(part: str, name: str) -> Claims:
    try:
        value = json.loads(
            base64url.decode(part).decode("utf-8"),
            object_pairs_hook=_without_duplicates,
            parse_constant=_refuse_constant,
        )
    except (ValueError, RecursionError):  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise BadToken(f"{name} is not strict JSON") from None
    if not isinstance(value, dict):
        raise BadToken(f"{name} is not an object")
    return value


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("duplicate key")
    return value


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(constant)
