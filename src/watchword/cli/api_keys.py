"""`watchword api-keys …`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from watchword import Watchword
from watchword.cli.started import every, started, user_with
from watchword.errors import InvalidInput, NotFound
from watchword.model import RESERVED_SCOPES, ApiKey, CreatedApiKey, Owner
from watchword.settings import check_scopes


@dataclass(frozen=True, slots=True)
class Whose:
    """The owner that was named: a user by email, or a client by id."""

    email: str | None
    client_id: str | None

    @classmethod
    def of(cls, email: str | None, client_id: str | None) -> "Whose":
        """Read the two options.

        Raises:
            InvalidInput: There is not exactly one.
        """
        if (email is None) == (client_id is None):
            raise InvalidInput(text="say whose: --user EMAIL or --client ID")
        return cls(email, client_id)

    async def find(self, auth: Watchword[Any]) -> Owner:
        """The id of the owner.

        Raises:
            NotFound: There is no such user.
        """
        if self.email is None:
            return self.client_id or ""
        return (await user_with(self.email, auth.users)).id


async def create_key(whose: Whose, name: str, scopes: Sequence[str], *, expires_in: timedelta | None) -> CreatedApiKey:
    """Make a key.

    Raises:
        InvalidInput: A scope is malformed, or the name or the lifetime cannot be.
        InvalidScope: A scope is reserved, or more than the owner may have.
        NotFound: There is no such owner.
        TooManyApiKeys: The owner has a hundred.
    """
    try:
        check_scopes(dict.fromkeys(frozenset(scopes) - RESERVED_SCOPES, ""))
    except ValueError as error:
        raise InvalidInput("malformed scope", text=f"Scope {error}") from None
    # An app declares its scopes in Python, where this command does not see them: what is named here counts as declared.
    # The guards of the app let a key do what the app declares, and its owner may, whatever is named.
    async with started(*(frozenset(scopes) - RESERVED_SCOPES)) as auth:
        return await auth.api_keys.create(await whose.find(auth), name, scopes=scopes, expires_in=expires_in)


async def every_key(whose: Whose) -> list[ApiKey]:
    """The keys of an owner that are in force.

    Raises:
        NotFound: There is no such user.
    """
    async with started() as auth:
        owner = await whose.find(auth)
        return await every(lambda before: auth.api_keys.list(owner, before=before), lambda key: key.id)


async def revoke_key(key_id: str) -> ApiKey:
    """Revoke a key.

    Raises:
        InvalidInput: This is no id.
        NotFound: No such key is in force.
    """
    wanted = _read_id(key_id)
    async with started() as auth:
        try:
            return await auth.api_keys.revoke(wanted)
        except NotFound as error:
            raise NotFound(error.detail, text="There is no such API key in force") from None


async def rotate_key(key_id: str, *, grace: timedelta | None) -> CreatedApiKey:
    """Make a key in the place of another, which ends at once or after a grace.

    Raises:
        InvalidInput: This is no id, or the grace is too long.
        NotFound: No such key is in force, or its owner is disabled.
        TooManyApiKeys: The owner has a hundred.
    """
    wanted = _read_id(key_id)
    async with started() as auth:
        return await auth.api_keys.rotate(wanted, grace=grace or timedelta(0))


def _read_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:  # perhaps the key itself: it is not repeated
        raise InvalidInput(text="the id of a key looks like 0199e5b2-…; `watchword api-keys list` shows it") from None
