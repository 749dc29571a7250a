"""A client sends a browser here to log out (OpenID Connect RP-Initiated Logout): whether to ask, and where it leads."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from watchword.errors import InvalidRequest, UnsafeAuthorizationRequest
from watchword.identity.id_tokens import IdTokenHint, VerifyIdToken
from watchword.model import BrowserSession, Client
from watchword.storage import Database


@dataclass(frozen=True, slots=True)
class LogoutPlan:
    """What is to be done.

    Attributes:
        must_ask: Whether the user has to say that they want it: any site can send a browser here.
        redirect_uri: Where the browser goes once there is no login any more; None for a page of ours.
    """

    must_ask: bool
    redirect_uri: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class PlanLogout:
    """Reads a logout request. It changes nothing."""

    storage: Database
    verify_id_token: VerifyIdToken

    async def __call__(self, parameters: Mapping[str, str], browser: BrowserSession | None) -> LogoutPlan:
        """Decide.

        Raises:
            UnsafeAuthorizationRequest: It is to lead to an address that is not its client's, or names two clients.
            StorageDown: The database does not answer.
        """
        hint = await self._hint(parameters.get("id_token_hint"))
        client = await self._client(hint, parameters.get("client_id"))
        # RP-Initiated Logout §2, §6: an ID token of whoever is logged in shows that a client of theirs asks for it.
        is_theirs = browser is None or (hint is not None and hint.user_id == browser.user_id)
        return LogoutPlan(not is_theirs, _redirect_uri(client, parameters))

    async def _hint(self, text: str | None) -> IdTokenHint | None:
        try:
            return await self.verify_id_token(text) if text else None
        except InvalidRequest:  # it may be older than our keys; then the user is asked
            return None

    async def _client(self, hint: IdTokenHint | None, client_id: str | None) -> Client | None:
        if hint is not None:
            if client_id not in {None, "", hint.client.id}:
                raise UnsafeAuthorizationRequest(f"client {hint.client.id} has another client_id beside its ID token")
            return hint.client
        async with self.storage.reading() as stores:
            client = await stores.clients.get(client_id or "")
        return client if client is not None and client.is_active else None


def _redirect_uri(client: Client | None, parameters: Mapping[str, str]) -> str | None:
    """The registered address that was named, to the letter, and the `state` with it."""
    uri, state = parameters.get("post_logout_redirect_uri"), parameters.get("state")
    if not uri or client is None:
        return None
    if uri not in client.post_logout_redirect_uris:
        raise UnsafeAuthorizationRequest(f"client {client.id} has not registered where its logout is to lead")
    return uri if not state else f"{uri}{'&' if '?' in uri else '?'}{urlencode({'state': state})}"
