"""Signing keys and the key set: what signs, what verifies, what is published (RFC 7517, RFC 7638)."""

import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from jwt.algorithms import Algorithm, ECAlgorithm, HMACAlgorithm, RSAAlgorithm

from watchword.crypto import base64url
from watchword.settings import SigningAlgorithm

RSA_BITS: Final = 3072  # 128 bits of strength (NIST SP 800-57 part 1, table 2)
_HMAC_BYTES: Final = 32
_ECDSA: Final = ec.ECDSA(SHA256())

_ALGORITHMS: Final[Mapping[SigningAlgorithm, Algorithm]] = {
    SigningAlgorithm.ES256: ECAlgorithm(ECAlgorithm.SHA256),
    SigningAlgorithm.RS256: RSAAlgorithm(RSAAlgorithm.SHA256),
    SigningAlgorithm.HS256: HMACAlgorithm(HMACAlgorithm.SHA256),
}


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key with the one algorithm it is for.

    Attributes:
        kid: JWK thumbprint of the public key (RFC 7638); random for a symmetric key.
        public_jwk: What `GET /auth/jwks` shows; None for a symmetric key, which is never shown.
        private_jwk: The whole key. Only ever stored sealed.
    """

    kid: str
    algorithm: SigningAlgorithm
    public_jwk: Mapping[str, str] | None
    private_jwk: str = field(repr=False)
    _private: Any = field(repr=False, compare=False)
    _verifying: Any = field(repr=False, compare=False)

    @classmethod
    def from_jwk(cls, kid: str, algorithm: SigningAlgorithm, private_jwk: str) -> "SigningKey":
        """Read back a key of ours: it was sealed, so it is as it was made."""
        is_rsa = algorithm is SigningAlgorithm.RS256
        private = _rsa_key(private_jwk) if is_rsa else _ALGORITHMS[algorithm].from_jwk(private_jwk)
        if algorithm is SigningAlgorithm.HS256:
            return cls(kid, algorithm, None, private_jwk, private, private)
        public = private.public_key()
        return cls(
            kid,
            algorithm,
            _published(kid, algorithm, _public_jwk(algorithm, public)),
            private_jwk,
            private,
            public,
        )

    def sign(self, message: bytes) -> bytes:
        """Sign, in the format of RFC 7518 §3."""
        if self.algorithm is SigningAlgorithm.ES256:  # as PyJWT does it, without making its parts anew each time
            r, s = decode_dss_signature(self._private.sign(message, _ECDSA))
            return r.to_bytes(32) + s.to_bytes(32)
        return _ALGORITHMS[self.algorithm].sign(message, self._private)

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether the signature is this key's over the message; HMACs are compared in constant time."""
        return _ALGORITHMS[self.algorithm].verify(message, self._verifying, signature)


def generate_key(algorithm: SigningAlgorithm) -> SigningKey:
    """Make a key: P-256, RSA of 3,072 bits (about half a second of work), or 256 random bits."""
    if algorithm is SigningAlgorithm.HS256:
        jwk = json.dumps({"kty": "oct", "k": base64url.encode(secrets.token_bytes(_HMAC_BYTES))})
        return SigningKey.from_jwk(base64url.encode(secrets.token_bytes(32)), algorithm, jwk)
    private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    if algorithm is SigningAlgorithm.ES256:
        private = ec.generate_private_key(ec.SECP256R1())
        private_jwk = ECAlgorithm.to_jwk(private)
    else:
        private = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
        private_jwk = RSAAlgorithm.to_jwk(private)
    kid = thumbprint(_public_jwk(algorithm, private.public_key()))
    return SigningKey.from_jwk(kid, algorithm, private_jwk)


def _rsa_key(private_jwk: str) -> rsa.RSAPrivateKey:
    """Read an RSA key without proving its primes anew, which would take most of the time that a start takes."""
    members = json.loads(private_jwk)
    n, e, d, p, q, dp, dq, qi = (
        int.from_bytes(base64url.decode(members[name])) for name in ("n", "e", "d", "p", "q", "dp", "dq", "qi")
    )
    numbers = rsa.RSAPrivateNumbers(p, q, d, dp, dq, qi, rsa.RSAPublicNumbers(e, n))
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)


def thumbprint(public_jwk: Mapping[str, str]) -> str:
    """JWK thumbprint with SHA-256 (RFC 7638 §3)."""
    members = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n")}[public_jwk["kty"]]
    canonical = json.dumps({name: public_jwk[name] for name in members}, separators=(",", ":"), sort_keys=True)
    return base64url.encode(sha256(canonical.encode()).digest())


def _public_jwk(algorithm: SigningAlgorithm, public: Any) -> Mapping[str, str]:  # noqa: ANN401 — a cryptography key
    to_jwk = ECAlgorithm.to_jwk if algorithm is SigningAlgorithm.ES256 else RSAAlgorithm.to_jwk
    jwk: dict[str, str] = to_jwk(public, as_dict=True)
    return jwk


def _published(kid: str, algorithm: SigningAlgorithm, jwk: Mapping[str, str]) -> Mapping[str, str]:
    members = {name: jwk[name] for name in ("kty", "crv", "x", "y", "n", "e") if name in jwk}
    return {**members, "use": "sig", "alg": algorithm.value, "kid": kid}


@dataclass(frozen=True, slots=True)
class KeySet:
    """The keys in force: one signs for each algorithm, all verify.

    Attributes:
        by_kid: Verification looks a key up here and nowhere else.
        signing: The active key of each algorithm.
    """

    by_kid: Mapping[str, SigningKey]
    signing: Mapping[SigningAlgorithm, SigningKey]

    @classmethod
    def of(cls, signing: Iterable[SigningKey], verifying: Iterable[SigningKey] = ()) -> "KeySet":
        """A key set.

        Args:
            signing: One for each algorithm; they verify too.
            verifying: Those that do not sign yet, or any more.
        """
        active = {key.algorithm: key for key in signing}
        return cls({key.kid: key for key in (*active.values(), *verifying)}, active)

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The JWK Set (RFC 7517 §5): public halves only."""
        return {"keys": [dict(key.public_jwk) for key in self.by_kid.values() if key.public_jwk is not None]}
