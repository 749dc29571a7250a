"""An access token in which a client speaks for itself → who the request speaks for."""

from dataclasses import dataclass
from datetime import UTC, datetime

from watchword.crypto.jwt import Claims
from watchword.errors import InvalidToken
from watchword.identity.scopes import read_scope
from watchword.model import Principal, Revocation, RevocationKind
from watchword.storage import Database


@dataclass(frozen=True, slots=True)
class VerifyClientToken:
    """Verifies tokens of the client credentials grant: client and token in one query."""

    storage: Database

    async def __call__(self, claims: Claims) -> tuple[Principal, tuple[str, ...]]:
        """Verify what is left to verify of a token that we signed and that belongs to no session.

        Args:
            claims: Of a token that is ours and has not expired; `sub`, `client_id` and `jti` are text.

        Returns:
            The principal, with those of the token's scopes that the client may still have, and what revokes it.

        Raises:
            InvalidToken: It is not good, for whatever reason.
            StorageDown: The database does not answer; nobody is let in.
        """
        client_id, token_id, scope = claims["client_id"], claims["jti"], claims.get("scope")
        if claims["sub"] != client_id:
            raise InvalidToken("neither a session's nor a client's own")
        if not isinstance(scope, str):
            raise InvalidToken("scope is missing")
        async with self.storage.reading() as stores:
            state = await stores.clients.token_state(client_id, token_id)
        if state is None or not state.is_active:
            raise InvalidToken(f"client {client_id} is disabled, or there is none")
        if state.is_revoked:
            raise InvalidToken(f"token {token_id} was revoked")
        principal = Principal(
            subject=client_id,
            user_id=None,
            client_id=client_id,
            session_id=None,
            scopes=read_scope(scope) & state.scopes,
            amr=(),
            auth_time=None,
            expires_at=datetime.fromtimestamp(claims["exp"], UTC),
        )
        keys = (Revocation(RevocationKind.CLIENT, client_id).key, Revocation(RevocationKind.TOKEN, token_id).key)
        return principal, keys
