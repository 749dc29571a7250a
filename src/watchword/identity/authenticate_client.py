"""Client credentials → the client (RFC 6749 §2.3)."""

from dataclasses import dataclass, field

from watchword.errors import InvalidClient
from watchword.model import FIRST_PARTY, Client


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """What a request says about its client; empty strings and absence mean the same (Swagger UI sends empty fields)."""

    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)


_FIRST_PARTY_CLIENT = Client(FIRST_PARTY, grants=frozenset({"password", "refresh_token"}), is_public=True)


@dataclass(frozen=True, slots=True)
class AuthenticateClient:
    """Finds the client a request comes from. The first party is public: it has no secret and needs no name."""

    async def __call__(self, credentials: ClientCredentials) -> Client:
        """Authenticate.

        Raises:
            InvalidClient: No such client, or a secret that is not its own.
        """
        if credentials.client_id in {None, "", FIRST_PARTY} and not credentials.client_secret:
            return _FIRST_PARTY_CLIENT
        raise InvalidClient("no such client, or a secret for the first party, which has none")
