"""The client credentials grant (RFC 6749 §4.4): a service that acts for itself."""

from dataclasses import dataclass
from typing import Final

from watchword.errors import InvalidTarget, UnauthorizedClient
from watchword.events import ClientTokenIssued, Events
from watchword.grants.parameters import Parameters
from watchword.identity.issue import IssueTokens
from watchword.identity.scopes import ScopeCatalogue, parse_scope
from watchword.model import ADMIN_SCOPE, Client, Device, IssuedTokens

NAME: Final = "client_credentials"


@dataclass(frozen=True, slots=True)
class ClientCredentialsGrant:
    """A client that was authenticated, for an access token of its own. No query, and no refresh token."""

    scopes: ScopeCatalogue
    issue: IssueTokens
    events: Events

    async def __call__(self, client: Client, parameters: Parameters, device: Device) -> IssuedTokens:
        """Give a client a token.

        Raises:
            UnauthorizedClient: The client is public, so that anybody could be it (RFC 6749 §4.4), or has no such grant.
            InvalidScope: It asks for what there is not, or for nothing that it may have.
            InvalidTarget: It names a resource that it is not registered for.
        """
        if NAME not in client.grants or client.is_public:
            raise UnauthorizedClient(f"client {client.id} asked for the client credentials grant")
        resource = parameters.optional("resource")
        if resource is not None and resource not in client.resources:  # RFC 8707 §2
            raise InvalidTarget(f"client {client.id} asked for a resource that it is not registered for")
        requested = parse_scope(parameters.optional("scope"))
        allowed = self.scopes.allowed_for_client(client)
        # What can do everything is only given to those who ask for it.
        granted = self.scopes.grant(requested, allowed=allowed) if requested is not None else allowed - {ADMIN_SCOPE}
        issued = self.issue.to_client(client, granted, audience=resource)
        await self.events.emit(ClientTokenIssued(client_id=client.id, device=device))
        return issued
