"""Third-party clients in tests, and logins of users with them."""

from typing import Any

from tests.conftest import EMAIL
from watchword import Watchword
from watchword.model import Client, Device, IssuedTokens


async def register_partner(auth: Watchword[Any], **metadata: Any) -> Client:
    """A public client with refresh tokens, unless said otherwise."""
    fields: dict[str, Any] = {"grants": ["refresh_token"], "auth_method": "none", **metadata}
    client, _ = await auth.clients.create("A partner", **fields)
    return client


async def log_in_with(
    auth: Watchword[Any], client: Client, *, scopes: frozenset[str] = frozenset(), email: str = EMAIL
) -> IssuedTokens:
    """A session of a user with a client, as an authorization code would open it."""
    async with auth.open_session.storage.reading() as stores:
        account = await stores.users.find(email)
    assert account is not None
    issued = await auth.open_session(account, client, scopes=scopes, amr=("pwd",), device=Device())
    assert issued is not None
    return issued


async def partner_login(auth: Watchword[Any], *, scopes: frozenset[str] = frozenset()) -> IssuedTokens:
    """A session of a user with a client of its own."""
    return await log_in_with(auth, await register_partner(auth, scopes=scopes), scopes=scopes)
