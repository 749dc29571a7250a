"""The public keys of clients (RFC 7517), and the assertions that are signed with them (RFC 7523).

A key has one algorithm, settled when it is registered; what an assertion says about its algorithm is only compared.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, cast

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import Algorithm, ECAlgorithm, OKPAlgorithm, RSAAlgorithm, RSAPSSAlgorithm
from jwt.exceptions import InvalidKeyError

from watchword.crypto import jwt
from watchword.crypto.jwt import BadToken

LONGEST_LIFE: Final = 3600
"""Seconds that an assertion may be good for. RFC 7523 §3 leaves the limit to us; Authlib's clients write an hour."""

_MAX_KEYS: Final = 10
_LEAST_RSA_BITS: Final = 2048  # NIST SP 800-131A
_MOST_RSA_BITS: Final = 8192  # a verification takes the longer, the larger it is
_ALGORITHMS: Final[Mapping[str, Algorithm]] = {
    "ES256": ECAlgorithm(ECAlgorithm.SHA256),
    "RS256": RSAAlgorithm(RSAAlgorithm.SHA256),
    "PS256": RSAPSSAlgorithm(RSAPSSAlgorithm.SHA256),
    "EdDSA": OKPAlgorithm(),
    "Ed25519": OKPAlgorithm(),  # the newer name of the same (RFC 9864)
}
ASSERTION_ALGORITHMS: Final = tuple(_ALGORITHMS)
"""What a client may sign its assertions with."""
_OF_TYPE: Final[Mapping[str, Sequence[str]]] = {
    "EC": ("ES256",),
    "RSA": ("RS256", "PS256"),
    "OKP": ("EdDSA", "Ed25519"),
}
_MEMBERS: Final = {"EC": ("crv", "x", "y"), "RSA": ("n", "e"), "OKP": ("crv", "x")}
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_TYPES: Final = (None, "JWT", "jwt", "client-authentication+jwt")


class BadKeys(Exception):
    """The keys cannot be registered; the message says why, for whoever registers them."""


@dataclass(frozen=True, slots=True)
class ClientKey:
    """A public key with the one algorithm it is for."""

    kid: str | None
    algorithm: str
    _public: Any = field(repr=False, compare=False)

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether the signature is this key's over the message."""
        return _ALGORITHMS[self.algorithm].verify(message, self._public, signature)


@dataclass(frozen=True, slots=True)
class Assertion:
    """An assertion whose signature is not verified yet.

    Attributes:
        client_id: Whom it claims to be from.
    """

    client_id: str
    _parsed: jwt.Parsed = field(repr=False)
    _claims: jwt.Claims = field(repr=False)

    def verify(
        self, keys: Sequence[ClientKey], *, audiences: Collection[str], now: float, leeway: float
    ) -> "VerifiedAssertion":
        """Verify it (RFC 7523 §3).

        Args:
            keys: The client's.
            audiences: What `aud` may name: us, and nobody besides.
            now: Unix time in seconds.
            leeway: Seconds by which the client's clock may be ahead.

        Raises:
            BadToken: Anything at all is not as it must be.
        """
        header, claims = self._parsed.header, self._claims
        kid, algorithm = header.get("kid"), header.get("alg")
        candidates = [key for key in keys if key.algorithm == algorithm and (kid is None or kid == key.kid)]
        if not any(key.verify(self._parsed.signing_input, self._parsed.signature) for key in candidates):
            raise BadToken("no key of the client verifies the assertion")
        if header.get("typ") not in _TYPES:  # one of our other tokens, or another kind of the client's
            raise BadToken("typ is not that of an assertion")
        _check_audience(claims.get("aud"), audiences)
        jwt.require(claims, strings=("jti",))
        jwt.check_times(claims, now=now, leeway=leeway)
        if claims["exp"] > now + LONGEST_LIFE + leeway:
            raise BadToken("exp lies too far in the future")
        return VerifiedAssertion(
            self.client_id, sha256(claims["jti"].encode(errors="surrogatepass")).digest(), claims["exp"]
        )


@dataclass(frozen=True, slots=True)
class VerifiedAssertion:
    """An assertion that its client signed, for us, now. Whether it was used before, the database knows."""

    client_id: str
    jti_digest: bytes
    expires_at: int


def read_assertion(text: str) -> Assertion:
    """Read an assertion, to learn whose keys verify it.

    Raises:
        BadToken: It is malformed, or from another than it is about.
    """
    parsed = jwt.parse(text)
    claims = parsed.claims()
    jwt.require(claims, strings=("iss", "sub"))
    if claims["iss"] != claims["sub"]:  # RFC 7523 §3: for client authentication both are the client_id
        raise BadToken("iss is not sub")
    return Assertion(claims["sub"], parsed, claims)


def read_keys(registered: Mapping[str, Any]) -> Sequence[ClientKey]:
    """The keys of a JWK Set that `checked_keys` made."""
    return [_client_key(jwk) for jwk in registered["keys"]]


def checked_keys(given: object) -> dict[str, list[dict[str, str]]]:
    """Check a JWK Set, or one JWK, before it is registered: public keys alone, with what we need of them.

    Raises:
        BadKeys: A key is private, symmetric, too weak, or nothing that we can verify with.
    """
    jwks = given.get("keys", [given]) if isinstance(given, Mapping) else None
    if not isinstance(jwks, list) or not 1 <= len(jwks) <= _MAX_KEYS or not all(isinstance(jwk, dict) for jwk in jwks):
        raise BadKeys("a JWK Set must be an object with one to ten keys")
    checked = [_checked(jwk) for jwk in jwks]
    kids = [jwk["kid"] for jwk in checked if "kid" in jwk]
    if len(set(kids)) != len(kids):
        raise BadKeys("two keys have the same kid")
    return {"keys": checked}


def _checked(jwk: Mapping[str, Any]) -> dict[str, str]:
    if _PRIVATE.intersection(jwk):
        raise BadKeys("a private or symmetric key: only the public part belongs here")
    kind = jwk.get("kty")
    if not isinstance(kind, str) or kind not in _OF_TYPE:
        raise BadKeys("kty must be EC, RSA or OKP")
    algorithm = jwk.get("alg", _OF_TYPE[kind][0])
    if algorithm not in _OF_TYPE[kind]:
        raise BadKeys(f"alg of a key of type {kind} must be {' or '.join(_OF_TYPE[kind])}")
    if jwk.get("use", "sig") != "sig":
        raise BadKeys("use must be sig")
    wanted = {"kty": kind, "alg": algorithm, **{name: jwk.get(name) for name in _MEMBERS[kind]}}
    if "kid" in jwk:
        wanted["kid"] = jwk["kid"]
    if not all(isinstance(value, str) and value and len(value) < jwt.MAX_TOKEN_BYTES for value in wanted.values()):
        raise BadKeys(f"a key of type {kind} needs {', '.join(_MEMBERS[kind])}, as text")
    members = cast("dict[str, str]", wanted)
    _client_key(members)
    return members


def _client_key(jwk: Mapping[str, str]) -> ClientKey:
    algorithm = jwk["alg"]
    try:
        public = _ALGORITHMS[algorithm].from_jwk(
            json.dumps({name: jwk[name] for name in ("kty", *_MEMBERS[jwk["kty"]])})
        )
    except (InvalidKeyError, ValueError):
        raise BadKeys(f"a key of type {jwk['kty']} cannot be read") from None
    is_fit = (
        (isinstance(public, ec.EllipticCurvePublicKey) and isinstance(public.curve, ec.SECP256R1))
        or (isinstance(public, rsa.RSAPublicKey) and _LEAST_RSA_BITS <= public.key_size <= _MOST_RSA_BITS)
        or isinstance(public, ed25519.Ed25519PublicKey)
    )
    if not is_fit:
        raise BadKeys("a key must be P-256, Ed25519, or RSA of 2,048 to 8,192 bits")
    return ClientKey(jwk.get("kid"), algorithm, public)


def _check_audience(audience: object, ours: Collection[str]) -> None:
    # An assertion that names somebody else too could have been meant for them, and be passed on by them.
    named = audience if isinstance(audience, list) else [audience]
    if not named or not all(isinstance(one, str) and one in ours for one in named):
        raise BadToken("aud does not name us alone")
