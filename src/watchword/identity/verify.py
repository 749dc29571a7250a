"""A credential → who the request speaks for."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from watchword.crypto import jwt
from watchword.crypto.keys import KeySet
from watchword.errors import InvalidToken
from watchword.identity.issue import TokenRules
from watchword.model import Account, Principal
from watchword.storage import Database


@dataclass(frozen=True, slots=True)
class Verified:
    """A credential that is good now.

    Attributes:
        principal: Who it speaks for.
        account: The user behind it, as the database has them; None where a client acts for itself.
    """

    principal: Principal
    account: Account | None


@dataclass(frozen=True, slots=True)
class VerifyCredential:
    """Verifies access tokens: the signature and claims in memory, then the user in the database."""

    storage: Database
    keys: KeySet
    rules: TokenRules
    leeway: float
    clock: Callable[[], float]

    async def __call__(self, credential: str) -> Verified:
        """Verify.

        Raises:
            InvalidToken: It is not good, for whatever reason.
            StorageDown: The database does not answer; nobody is let in.
        """
        claims = self._read(credential)
        principal = _principal(claims)
        async with self.storage.reading() as stores:
            account = await stores.users.get(principal.user_id) if principal.user_id is not None else None
        if account is None or not account.is_active or account.token_epoch != claims["epoch"]:
            raise InvalidToken(f"user {principal.subject} is gone, disabled or logged out everywhere")
        return Verified(principal, account)

    def _read(self, credential: str) -> jwt.Claims:
        expected = jwt.Expected(
            type=jwt.ACCESS_TOKEN_TYPE,
            issuer=self.rules.issuer,
            audience=self.rules.audience,
            strings=("sub", "client_id", "jti"),
            integers=("epoch", "auth_time"),
            leeway=self.leeway,
        )
        try:
            return jwt.decode(credential, keys=self.keys, expected=expected, now=self.clock())
        except jwt.BadToken as error:
            raise InvalidToken(str(error)) from None


def _principal(claims: jwt.Claims) -> Principal:
    scope, amr = claims.get("scope"), claims.get("amr")
    if not isinstance(scope, str):
        raise InvalidToken("scope is missing")
    if not isinstance(amr, list) or not all(isinstance(method, str) for method in amr):
        raise InvalidToken("amr is no list of names")
    try:
        user_id = UUID(claims["sub"])
    except ValueError:
        raise InvalidToken("sub is not a user") from None
    if str(user_id) != claims["sub"]:  # hosts may key by `subject`: one user, one spelling
        raise InvalidToken("sub is spelled in another way")
    return Principal(
        subject=claims["sub"],
        user_id=user_id,
        client_id=claims["client_id"],
        session_id=None,
        scopes=frozenset(scope.split(" ")) - {""},  # RFC 6749 §3.3; split() would take any white space of Unicode
        amr=tuple(amr),
        auth_time=datetime.fromtimestamp(claims["auth_time"], UTC),
        expires_at=datetime.fromtimestamp(claims["exp"], UTC),
    )
