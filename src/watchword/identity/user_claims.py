"""What is told of a user to clients, by scope (OpenID Connect Core §5.1, §5.4)."""

from collections.abc import Mapping
from typing import Any, Final

from watchword.model import Account

# What `profile` and the others ask for. `phone_number_verified` is not among it: users write their profiles themselves.
_OF_PROFILE: Final[Mapping[str, Mapping[str, type]]] = {
    "profile": {
        **dict.fromkeys(
            (
                "name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "profile",
                "picture", "website", "gender", "birthdate", "zoneinfo", "locale",
            ),
            str,
        ),
        "updated_at": int,
    },
    "phone": {"phone_number": str},
    "address": {"address": dict},
}  # fmt: skip
_OF_ACCOUNT: Final = {"email": ("email", "email_verified")}


def user_claims(account: Account, scopes: frozenset[str]) -> dict[str, Any]:
    """The claims that scopes stand for, as far as the account has them; `sub` is not among them.

    Of the host's own fields of a user, those whose names and types are standard claims. What is empty is left out.
    """
    claims: dict[str, Any] = {}
    if "email" in scopes:
        claims = {"email": account.email, "email_verified": account.email_verified_at is not None}
    for scope, types in _OF_PROFILE.items():
        if scope in scopes:
            found = {name: account.profile.get(name) for name in types}
            claims |= {name: value for name, value in found.items() if value and type(value) is types[name]}
    return claims


def claims_of(scopes: frozenset[str], profile_fields: frozenset[str]) -> list[str]:
    """The names of all claims that scopes may stand for, where users have such fields, sorted."""
    names = {name for scope in scopes & _OF_PROFILE.keys() for name in _OF_PROFILE[scope]} & profile_fields
    names |= {name for scope in scopes & _OF_ACCOUNT.keys() for name in _OF_ACCOUNT[scope]}
    return sorted(names)
