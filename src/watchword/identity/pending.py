"""A login between its two factors: the password was right, and a token says so until the code comes."""

import hmac
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from watchword.crypto import jwt
from watchword.errors import InvalidToken
from watchword.identity.authenticate_user import PasswordVerified
from watchword.identity.issue import IssueTokens, PendingPurpose, TokenRules, password_digest
from watchword.identity.keyring import Keyring
from watchword.identity.scopes import read_scope
from watchword.identity.second_factor import PendingToken
from watchword.model import AMR_PASSWORD, Account, Client, PendingLogin
from watchword.storage import Database


@dataclass(frozen=True, slots=True)
class Pending:
    """A login that waits for its second factor.

    Attributes:
        account: The user, as they are now; their password is still the one that was right.
        client_id: Whom the login is for.
        scopes: What it will be granted.
        amr: How the user authenticated so far (RFC 8176).
        token: What says all this, once.
    """

    account: Account
    client_id: str
    scopes: frozenset[str]
    amr: tuple[str, ...]
    token: PendingToken


@dataclass(frozen=True, slots=True)
class SuspendLogin:
    """Answers a right password where a second factor is still to come."""

    storage: Database
    issue: IssueTokens

    async def __call__(
        self, verified: PasswordVerified, client: Client, *, scopes: frozenset[str], must_enrol: bool
    ) -> PendingLogin | None:
        """Issue a pending token, and keep a better hash of the password if there is one.

        Returns:
            None if the account changed meanwhile or is gone.

        Raises:
            StorageDown: The database does not answer.
        """
        account = verified.account
        if verified.rehashed is not None:
            async with self.storage.transaction() as stores:
                if not await stores.users.rehash(account, verified.rehashed):
                    return None
                account = await stores.users.get(account.id) or account
        return self.issue.pending(account, client, scopes, amr=AMR_PASSWORD, must_enrol=must_enrol)


@dataclass(frozen=True, slots=True)
class VerifyPending:
    """Verifies pending tokens."""

    storage: Database
    keyring: Keyring
    rules: TokenRules
    leeway: float
    clock: Callable[[], float]

    async def __call__(self, credential: str, purpose: PendingPurpose) -> Pending:
        """Verify one, for one purpose.

        Raises:
            InvalidToken: It is not good, for whatever reason.
            StorageDown: The database does not answer.
        """
        try:
            claims = self._read(credential, purpose)
        except jwt.BadToken as error:
            raise InvalidToken(f"pending token: {error}") from None
        async with self.storage.reading() as stores:
            account = await stores.users.get(UUID(claims["sub"]))
        if account is None or not account.is_active or account.token_epoch != claims["epoch"]:
            raise InvalidToken(
                f"pending token of user {claims['sub']}, who is gone or disabled or has ended all tokens"
            )
        if not hmac.compare_digest(password_digest(account), claims["password"]):
            raise InvalidToken(f"pending token of another password of user {account.id}")
        token = PendingToken(claims["jti"], claims["exp"])
        return Pending(account, claims["client_id"], read_scope(claims["scope"]), tuple(claims["amr"]), token)

    @staticmethod
    def looks_like_one(credential: str) -> bool:
        """Whether a credential calls itself a pending token; nothing is verified."""
        try:
            return jwt.parse(credential).header.get("typ") == jwt.PENDING_LOGIN_TYPE
        except jwt.BadToken:
            return False

    def is_signed_by_us(self, credential: str) -> bool:
        """Whether it is a pending token of ours that has not expired, for whatever purpose."""
        for purpose in PendingPurpose:
            with suppress(jwt.BadToken):
                self._read(credential, purpose)
                return True
        return False

    def _read(self, credential: str, purpose: PendingPurpose) -> jwt.Claims:
        expected = jwt.Expected(
            type=jwt.PENDING_LOGIN_TYPE,
            issuer=self.rules.issuer,
            audience=self.rules.pending_audience(purpose),
            strings=("sub", "client_id", "jti", "password"),
            integers=("epoch",),
            leeway=self.leeway,
        )
        return jwt.decode(credential, keys=self.keyring.keys, expected=expected, now=self.clock())
