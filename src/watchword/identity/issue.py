"""The only place where tokens are minted."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from watchword.crypto import base64url, jwt
from watchword.crypto.refresh_tokens import RefreshToken, RefreshTokenKeys
from watchword.identity.keyring import Keyring
from watchword.identity.scopes import format_scope, read_scope
from watchword.identity.user_claims import user_claims
from watchword.model import (
    ACR_SECOND_FACTOR,
    OPENID,
    Account,
    Client,
    IdTokenRequest,
    IssuedTokens,
    PendingLogin,
    Session,
)
from watchword.settings import SigningAlgorithm

PENDING_SECONDS: Final = 300
"""The life of a pending token."""

LOGOUT_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
_LOGOUT_SECONDS: Final = 120  # OpenID Connect Back-Channel Logout §2.4 recommends two minutes at most


class PendingPurpose(StrEnum):
    """What a pending token may be good for: the name of an endpoint below `/2fa`."""

    VERIFY = "verify"
    SETUP = "setup"
    CONFIRM = "confirm"


@dataclass(frozen=True, slots=True)
class TokenRules:
    """What every access token of this installation has in common.

    Attributes:
        endpoints: The address that ours are below.
    """

    issuer: str
    audience: str
    lifetime: timedelta
    algorithm: SigningAlgorithm
    endpoints: str

    def pending_audience(self, purpose: PendingPurpose) -> str:
        """What a pending token is addressed to: the one endpoint of ours that takes it, and no resource server."""
        return f"{self.endpoints}/2fa/{purpose}"


@dataclass(frozen=True, slots=True)
class IssueTokens:
    """Mints access tokens (RFC 9068), refresh tokens, ID tokens and logout tokens."""

    keyring: Keyring
    refresh_keys: RefreshTokenKeys
    rules: TokenRules
    clock: Callable[[], float]

    def __call__(
        self,
        session: Session,
        refresh_token: RefreshToken | None,
        *,
        scopes: frozenset[str] | None = None,
        lifetime: timedelta | None = None,
        id_token: IdTokenRequest | None = None,
        account: Account | None = None,
    ) -> IssuedTokens:
        """Issue the tokens of a session.

        Args:
            session: Whose they are; no access token outlives it.
            refresh_token: What the refresh token says; None where the session goes on with the one it has.
            scopes: What the access token may do, where that is less than the session.
            lifetime: That of the client's tokens, where it is shorter than everybody's. A longer one would outlive the
                word of a revocation.
            id_token: What an ID token is to say; there is none without the scope `openid`.
            account: The user, where the ID token may say more of them than who they are.
        """
        granted = session.scopes if scopes is None else scopes
        now = int(self.clock())
        seconds = int(min(lifetime or self.rules.lifetime, self.rules.lifetime).total_seconds())
        expires_at = min(now + seconds, int(session.ends_at.timestamp()))
        claims = {
            **self._claims(str(session.user_id), session.client_id, granted, now=now, expires_at=expires_at),
            **_login(session),
            "epoch": session.epoch,
            # What it is for elsewhere opens nothing here (RFC 8707 §2): our guards look for their own name.
            **({"aud": session.audience} if session.audience is not None else {}),
        }
        access_token = self._sign(claims)
        return IssuedTokens(
            access_token=access_token,
            refresh_token=None if refresh_token is None else self.refresh_keys.encode(refresh_token),
            expires_in=max(0, expires_at - now),
            scopes=granted,
            id_token=self._id_token(session, id_token, account, access_token, claims)
            if id_token is not None and OPENID in granted
            else None,
        )

    def logout_token(self, session_id: UUID, user_id: UUID, client_id: str, algorithm: str) -> str:
        """Issue what tells a client that a session has ended (OpenID Connect Back-Channel Logout §2.4).

        Args:
            session_id: Which: the `sid` of its ID tokens.
            user_id: Whose.
            client_id: Whom it is for.
            algorithm: What signs the client's ID tokens.
        """
        now = int(self.clock())
        claims = {
            "iss": self.rules.issuer,
            "sub": str(user_id),
            "aud": client_id,
            "iat": now,
            "exp": now + _LOGOUT_SECONDS,
            "jti": secrets.token_urlsafe(16),
            "sid": str(session_id),
            "events": {LOGOUT_EVENT: {}},
        }
        return self._sign(claims, jwt.LOGOUT_TOKEN_TYPE, SigningAlgorithm(algorithm))

    def to_client(self, client: Client, scopes: frozenset[str], *, audience: str | None = None) -> IssuedTokens:
        """Issue an access token in which a client speaks for itself; `sub` is the client (RFC 9068 §2.2).

        Args:
            client: Who it was authenticated to be.
            scopes: What the token may do.
            audience: The resource that it is for (RFC 8707); None for this installation.
        """
        now = int(self.clock())
        seconds = int((client.access_token_lifetime or self.rules.lifetime).total_seconds())
        claims = self._claims(client.id, client.id, scopes, now=now, expires_at=now + seconds)
        if audience is not None:
            claims["aud"] = audience
        # RFC 6749 §4.4.3: no refresh token, for the client can authenticate again.
        return IssuedTokens(self._sign(claims), refresh_token=None, expires_in=seconds, scopes=scopes)

    def pending(
        self, account: Account, client: Client, scopes: frozenset[str], *, amr: tuple[str, ...], must_enrol: bool
    ) -> PendingLogin:
        """Issue what stands for a login whose second factor is to come: no access token, by type and by audience.

        Args:
            account: Whose password was right; the token ends with that password and with the user's tokens.
            client: Whom the login is for.
            scopes: What it will be granted.
            amr: How the user authenticated so far (RFC 8176).
            must_enrol: Whether it is good for setting up a factor, and not for presenting one.
        """
        purposes = (PendingPurpose.SETUP, PendingPurpose.CONFIRM) if must_enrol else (PendingPurpose.VERIFY,)
        now = int(self.clock())
        claims = {
            **self._claims(str(account.id), client.id, scopes, now=now, expires_at=now + PENDING_SECONDS),
            "aud": [self.rules.pending_audience(purpose) for purpose in purposes],
            "amr": list(amr),
            "epoch": account.token_epoch,
            "password": password_digest(account),
        }
        return PendingLogin(self._sign(claims, jwt.PENDING_LOGIN_TYPE), PENDING_SECONDS, must_enrol)

    def _claims(
        self, subject: str, client_id: str, scopes: frozenset[str], *, now: int, expires_at: int
    ) -> dict[str, Any]:
        return {
            "iss": self.rules.issuer,
            "sub": subject,
            "aud": self.rules.audience,
            "exp": expires_at,
            "iat": now,
            "jti": secrets.token_urlsafe(16),
            "client_id": client_id,
            "scope": format_scope(scopes),
        }

    def _id_token(
        self,
        session: Session,
        request: IdTokenRequest,
        account: Account | None,
        access_token: str,
        of_access_token: jwt.Claims,
    ) -> str:
        """OpenID Connect Core §2: it says who logged in, how and when, and is no access token, by type and audience."""
        about_user = {} if account is None else user_claims(account, read_scope(of_access_token["scope"]))
        claims = {
            **{name: value for name, value in about_user.items() if name in request.claims},
            **{name: of_access_token[name] for name in ("iss", "sub", "exp", "iat")},
            "aud": request.client.id,
            **_login(session),
            "at_hash": base64url.encode(sha256(access_token.encode()).digest()[:16]),  # §3.1.3.6
            **({} if request.nonce is None else {"nonce": request.nonce}),
        }
        return self._sign(claims, jwt.ID_TOKEN_TYPE, SigningAlgorithm(request.client.id_token_algorithm))

    def _sign(
        self, claims: jwt.Claims, type_: str = jwt.ACCESS_TOKEN_TYPE, algorithm: SigningAlgorithm | None = None
    ) -> str:
        return jwt.encode(claims, key=self.keyring.keys.signing[algorithm or self.rules.algorithm], type_=type_)


def _login(session: Session) -> dict[str, Any]:
    """Which login a token is of, when it was, and by what."""
    return {
        "sid": str(session.id),
        "auth_time": int(session.auth_time.timestamp()),
        "amr": list(session.amr),
        **({"acr": ACR_SECOND_FACTOR} if ACR_SECOND_FACTOR in session.amr else {}),
    }


def password_digest(account: Account) -> str:
    """What tells one password hash from another, and nothing else of it: half a digest of a text with a random salt."""
    return base64url.encode(sha256((account.password_hash or "").encode()).digest()[:16])
