"""A credential → who the request speaks for."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from watchword.crypto import jwt
from watchword.errors import InvalidToken, SecondFactorNeeded
from watchword.identity.issue import TokenRules
from watchword.identity.keyring import Keyring
from watchword.identity.pending import VerifyPending
from watchword.identity.scopes import ScopeCatalogue, read_scope
from watchword.identity.verify_client import VerifyClientToken
from watchword.model import API_KEY_PREFIX, FIRST_PARTY, Account, Principal, Revocation, RevocationKind
from watchword.storage import Database
from watchword.storage.hot_path import token_state


@dataclass(frozen=True, slots=True)
class Verified:
    """A credential that is good now.

    Attributes:
        principal: Who it speaks for.
        account: The user behind it, as the database has them; None where a client acts for itself.
        token_id: Its `jti`; the id of an API key.
        issued_at: Its `iat`, UTC.
        keys: What revokes it, as `Revocation.key` has it.
        audience: Its `aud`, which is ourselves but where others are asked about; None for an API key.
        until: When to verify it again, though it may be good for longer; None where it says itself when it ends.
        note_use: To be called when it is used again without being verified again; None where nobody wants to know.
    """

    principal: Principal
    account: Account | None
    token_id: str
    issued_at: datetime
    keys: tuple[str, ...]
    note_use: Callable[[], None] | None = None
    audience: str | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class VerifyCredential:
    """Verifies access tokens: the signature and claims in memory, then session, user and token in one query.

    Attributes:
        client_token: Verifies the tokens in which a client speaks for itself.
        verify_api_key: What API keys are handed to; they are told by their prefix.
        pending: Knows the tokens that are not good yet.
        any_audience: Whether tokens for other resources are taken too (RFC 8707). For no guard: such a token is to open
            nothing here. But whoever has one may ask about it, and revoke it.
    """

    storage: Database
    keyring: Keyring
    rules: TokenRules
    scopes: ScopeCatalogue
    leeway: float
    clock: Callable[[], float]
    client_token: VerifyClientToken
    verify_api_key: Callable[[str], Awaitable[Verified]]
    pending: VerifyPending
    any_audience: bool = False

    async def __call__(self, credential: str) -> Verified:
        """Verify.

        Raises:
            InvalidToken: It is not good, for whatever reason.
            SecondFactorNeeded: It stands for a login whose second factor is still to come.
            StorageDown: The database does not answer; nobody is let in.
        """
        if credential.startswith(API_KEY_PREFIX):
            return await self.verify_api_key(credential)
        claims = self._read(credential)
        token_id: str = claims["jti"]
        if "sid" not in claims:
            of_client, keys = await self.client_token(claims)
            issued_at = datetime.fromtimestamp(claims["iat"], UTC)
            return Verified(of_client, None, token_id, issued_at, keys, audience=claims["aud"])
        principal, session_id = _principal(claims)
        state = await token_state(self.storage, session_id, token_id)
        if state is None or state.account.id != principal.user_id or state.client_id != principal.client_id:
            raise InvalidToken(f"there is no session {session_id} of user {principal.subject}")
        if not state.is_live or state.account.token_epoch != claims["epoch"]:
            raise InvalidToken(f"session {session_id} has ended, or user {principal.subject} is disabled")
        if state.is_revoked:
            raise InvalidToken(f"token {token_id} was revoked")
        # What the token was granted, as far as the user's roles and the client still allow it.
        effective = principal.scopes & self.scopes.still_allowed(state.account.role_scopes)
        if state.client_scopes is not None:
            effective &= state.client_scopes
        return Verified(
            replace(principal, scopes=effective),
            state.account,
            token_id,
            datetime.fromtimestamp(claims["iat"], UTC),
            (
                Revocation(RevocationKind.USER, principal.subject).key,
                Revocation(RevocationKind.SESSION, str(session_id)).key,
                Revocation(RevocationKind.TOKEN, token_id).key,
                *(Revocation(RevocationKind.ROLE, role).key for role in state.account.roles),
                *_client_key(principal.client_id),
            ),
            audience=claims["aud"],
            until=state.until,
        )

    def _read(self, credential: str) -> jwt.Claims:
        try:
            expected = jwt.Expected(
                type=jwt.ACCESS_TOKEN_TYPE,
                issuer=self.rules.issuer,
                audience=self._audience_of(credential) if self.any_audience else self.rules.audience,
                strings=("sub", "client_id", "jti"),
                leeway=self.leeway,
            )
            claims = jwt.decode(credential, keys=self.keyring.keys, expected=expected, now=self.clock())
            if "sid" in claims:
                jwt.require(claims, strings=("sid",), integers=("epoch", "auth_time"))
            return claims
        except jwt.BadToken as error:
            if self.pending.looks_like_one(credential) and self.pending.is_signed_by_us(credential):
                raise SecondFactorNeeded("a pending token") from None
            raise InvalidToken(str(error)) from None

    @staticmethod
    def _audience_of(credential: str) -> str:
        audience = jwt.parse(credential).claims().get("aud")
        if not isinstance(audience, str):
            raise jwt.BadToken("aud is not one resource")
        return audience


def _principal(claims: jwt.Claims) -> tuple[Principal, UUID]:
    scope, amr = claims.get("scope"), claims.get("amr")
    if not isinstance(scope, str):
        raise InvalidToken("scope is missing")
    if not isinstance(amr, list) or not all(isinstance(method, str) for method in amr):
        raise InvalidToken("amr is no list of names")
    session_id = _id(claims, "sid")
    principal = Principal(
        subject=claims["sub"],
        user_id=_id(claims, "sub"),
        client_id=claims["client_id"],
        session_id=session_id,
        scopes=read_scope(scope),
        amr=tuple(amr),
        auth_time=datetime.fromtimestamp(claims["auth_time"], UTC),
        expires_at=datetime.fromtimestamp(claims["exp"], UTC),
    )
    return principal, session_id


def _client_key(client_id: str) -> tuple[str, ...]:
    """What revokes the tokens of a registered client; the first party is not registered."""
    return () if client_id == FIRST_PARTY else (Revocation(RevocationKind.CLIENT, client_id).key,)


def _id(claims: jwt.Claims, name: str) -> UUID:
    try:
        value = UUID(claims[name])
    except ValueError:
        raise InvalidToken(f"{name} is no id") from None
    if str(value) != claims[name]:  # hosts may key by `subject`, and revocations go by `sid`: one spelling each
        raise InvalidToken(f"{name} is spelled in another way")
    return value
