"""An API key → who the request speaks for."""

from dataclasses import dataclass
from functools import partial

from watchword.crypto import opaque_tokens
from watchword.errors import InvalidToken
from watchword.identity.api_key_uses import ApiKeyUses
from watchword.identity.scopes import ScopeCatalogue
from watchword.identity.verify import Verified
from watchword.model import API_KEY_PREFIX, FIRST_PARTY, RESERVED_SCOPES, Principal, Revocation, RevocationKind
from watchword.storage import Database
from watchword.storage.api_keys import ApiKeyState


@dataclass(frozen=True, slots=True)
class VerifyApiKey:
    """Verifies API keys: the checksum in memory, then the key and its owner in one query."""

    storage: Database
    scopes: ScopeCatalogue
    uses: ApiKeyUses

    async def __call__(self, credential: str) -> Verified:
        """Verify.

        Raises:
            InvalidToken: It is not good, for whatever reason.
            StorageDown: The database does not answer; nobody is let in.
        """
        try:
            digest = opaque_tokens.digest(API_KEY_PREFIX, credential)
        except opaque_tokens.BadOpaqueToken as error:
            raise InvalidToken(f"no API key: {error}") from None
        async with self.storage.reading() as stores:
            found = await stores.api_keys.find(digest)
        if found is None:
            raise InvalidToken("there is no such API key, or it ended long ago")
        if not found.is_live:
            raise InvalidToken(f"API key {found.key.id} was revoked or has expired")
        verified = self._verified(found)
        self.uses.note(found.key.id)
        return verified

    def _verified(self, found: ApiKeyState) -> Verified:
        key = found.key
        if key.user_id is not None:
            subject, client_id, kind = str(key.user_id), FIRST_PARTY, RevocationKind.USER
        else:
            subject = client_id = key.client_id or ""
            kind = RevocationKind.CLIENT
        principal = Principal(
            subject=subject,
            user_id=key.user_id,
            client_id=client_id,
            session_id=None,
            # What its owner lost since it was made, it lost too; and nothing reserved is ever a key's.
            scopes=(key.scopes & self._owners_scopes(found)) - RESERVED_SCOPES,
            amr=(),
            auth_time=None,
            expires_at=key.expires_at,
        )
        roles = found.account.roles if found.account is not None else frozenset()
        return Verified(
            principal,
            found.account,
            str(key.id),
            key.created_at,
            (
                Revocation(RevocationKind.API_KEY, str(key.id)).key,
                Revocation(kind, subject).key,
                *(Revocation(RevocationKind.ROLE, role).key for role in roles),
            ),
            partial(self.uses.note, key.id),
        )

    def _owners_scopes(self, found: ApiKeyState) -> frozenset[str]:
        if found.account is not None and found.account.is_active:
            return self.scopes.allowed_for(found.account)
        if found.client_scopes is not None:
            return found.client_scopes
        raise InvalidToken(f"the owner of API key {found.key.id} is disabled")
