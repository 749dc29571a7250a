"""The grants of the token endpoint, one file each. The dict names them all; nothing registers itself."""

from collections.abc import Mapping
from typing import Final, Protocol

from watchword.grants import authorization_code, client_credentials, password, refresh_token
from watchword.grants.authorization_code import AuthorizationCodeGrant
from watchword.grants.client_credentials import ClientCredentialsGrant
from watchword.grants.parameters import Parameters
from watchword.grants.password import PasswordGrant
from watchword.grants.refresh_token import RefreshTokenGrant
from watchword.model import Client, Device, IssuedTokens, PendingLogin


class Grant(Protocol):
    """A way to get tokens (RFC 6749 §1.3)."""

    async def __call__(self, client: Client, parameters: Parameters, device: Device) -> IssuedTokens | PendingLogin:
        """Trade the parameters for tokens, or raise the refusal that says why not.

        A `PendingLogin` says that a second factor is to come.
        """
        ...


GRANTS: Final[Mapping[str, type[Grant]]] = {
    password.NAME: PasswordGrant,
    refresh_token.NAME: RefreshTokenGrant,
    client_credentials.NAME: ClientCredentialsGrant,
    authorization_code.NAME: AuthorizationCodeGrant,
}

__all__ = [
    "GRANTS",
    "AuthorizationCodeGrant",
    "ClientCredentialsGrant",
    "Grant",
    "Parameters",
    "PasswordGrant",
    "RefreshTokenGrant",
]
