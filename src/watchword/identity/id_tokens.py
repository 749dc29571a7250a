"""An ID token that comes back as a hint: who somebody was, to whom (OpenID Connect Core §3.1.2.1)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from watchword.crypto import jwt
from watchword.errors import InvalidRequest
from watchword.identity.keyring import Keyring
from watchword.model import Client
from watchword.storage import Database

_INVALID: Final = "The id_token_hint is invalid"


@dataclass(frozen=True, slots=True)
class IdTokenHint:
    """What an ID token of ours says.

    Attributes:
        client: Whom it was issued to.
        user_id: Whose login it tells of.
        session_id: Which session; it may have ended.
    """

    client: Client
    user_id: UUID
    session_id: UUID


@dataclass(frozen=True, slots=True)
class VerifyIdToken:
    """Verifies ID tokens of our own. One that has expired still says who somebody was; none of them lets anybody in."""

    storage: Database
    keyring: Keyring
    issuer: str
    leeway: float
    clock: Callable[[], float]

    async def __call__(self, hint: str) -> IdTokenHint:
        """Verify one.

        Raises:
            InvalidRequest: It is no ID token of ours, or of no client that is registered and not disabled.
            StorageDown: The database does not answer.
        """
        try:
            audience = jwt.parse(hint).claims().get("aud")
            claims = jwt.decode(hint, keys=self.keyring.keys, expected=self._expected(audience), now=self.clock())
            found = UUID(claims["sub"]), UUID(claims["sid"])
        except (jwt.BadToken, ValueError) as error:
            raise InvalidRequest(f"id_token_hint: {error}", text=_INVALID) from None
        async with self.storage.reading() as stores:
            client = await stores.clients.get(claims["aud"])
        if client is None or not client.is_active:
            raise InvalidRequest("id_token_hint: no client has it", text=_INVALID)
        return IdTokenHint(client, *found)

    def _expected(self, audience: object) -> jwt.Expected:
        if not isinstance(audience, str):
            raise jwt.BadToken("aud is not one client")
        return jwt.Expected(
            type=jwt.ID_TOKEN_TYPE,
            issuer=self.issuer,
            audience=audience,
            strings=("sub", "sid"),
            leeway=self.leeway,
            may_have_expired=True,
        )
