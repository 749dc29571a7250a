"""A new account, and its roles."""

from collections.abc import Collection, Mapping
from typing import Any

from watchword.crypto.ids import new_id
from watchword.errors import InvalidInput
from watchword.identity.emails import EmailAddress
from watchword.model import Account, NewHash
from watchword.storage import Stores
from watchword.storage.users import NewAccount


async def add_account(
    stores: Stores,
    email: EmailAddress,
    *,
    password: NewHash | None,
    profile: Mapping[str, Any],
    roles: Collection[str],
    is_email_verified: bool = False,
) -> Account | None:
    """Insert an account. None if there is one with this address.

    Raises:
        InvalidInput: There is no such role.
    """
    for role in sorted(roles):
        if await stores.roles.get(role, hold=True) is None:
            raise InvalidInput(f"there is no role {role}", text="There is no such role")
    return await stores.users.add(
        NewAccount(
            id=new_id(),
            email=email.written,
            email_canonical=email.canonical,
            password=password,
            profile=profile,
            roles=frozenset(roles),
            is_email_verified=is_email_verified,
        )
    )
