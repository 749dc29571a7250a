"""The grants of the token endpoint, one file each. The dict names them all; nothing registers itself."""

from collections.abc import Mapping
from typing import Final, Protocol

from watchword.grants import password
from watchword.grants.parameters import Parameters
from watchword.grants.password import PasswordGrant
from watchword.model import Client, IssuedTokens


class Grant(Protocol):
    """A way to get tokens (RFC 6749 §1.3)."""

    async def __call__(self, client: Client, parameters: Parameters) -> IssuedTokens:
        """Trade the parameters for tokens, or raise the refusal that says why not."""
        ...


GRANTS: Final[Mapping[str, type[Grant]]] = {
    password.NAME: PasswordGrant,
}

__all__ = ["GRANTS", "Grant", "Parameters", "PasswordGrant"]
