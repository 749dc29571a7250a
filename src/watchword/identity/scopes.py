"""Scopes: the only vocabulary for permissions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from watchword.errors import InvalidScope
from watchword.model import ADMIN_SCOPE, EVERY_SCOPE, OFFLINE_ACCESS, OPENID, RESERVED_SCOPES, Account, Client

OPENID_SCOPES: Final[Mapping[str, str]] = {
    OPENID: "Know who you are",
    "profile": "Read your profile",
    "email": "Read your email address",
    "address": "Read your postal address",
    "phone": "Read your phone number",
    OFFLINE_ACCESS: "Keep access while you are not there",
}
"""Scopes of OpenID Connect Core §5.4 and §11 that users may give whatever their roles: what these tell is their own."""

_ONLY_IF_ASKED_FOR: Final = frozenset({ADMIN_SCOPE, OFFLINE_ACCESS})
_MAX_PARAMETER: Final = 4096  # characters of a scope parameter that are worth splitting


@dataclass(frozen=True, slots=True)
class ScopeCatalogue:
    """The scopes that the host declared.

    Attributes:
        declared: Name → description.
    """

    declared: Mapping[str, str]

    def allowed_for(self, account: Account) -> frozenset[str]:
        """What a user may do: the scopes of all their roles."""
        return self.expand(account.role_scopes)

    def expand(self, role_scopes: frozenset[str]) -> frozenset[str]:
        """The scopes that roles allow, `*` being all that are declared."""
        return role_scopes - {EVERY_SCOPE} | (frozenset(self.declared) if EVERY_SCOPE in role_scopes else frozenset())

    def still_allowed(self, role_scopes: frozenset[str]) -> frozenset[str]:
        """What is left of any login's scopes, by what its user's roles allow now."""
        return self.expand(role_scopes) | OPENID_SCOPES.keys()

    def grant_to_third_party(
        self, requested: frozenset[str] | None, *, client: Client, role_scopes: frozenset[str]
    ) -> frozenset[str]:
        """Settle what a client gets of what its user may do.

        Args:
            requested: None for all that it may have, but for what is given to those alone who ask.
            client: Who asks.
            role_scopes: What the user's roles allow.

        Raises:
            InvalidScope: A scope is unknown, or nothing that was asked for is allowed.
        """
        allowed = self.still_allowed(role_scopes) & client.scopes
        if not client.is_first_party:
            allowed -= {ADMIN_SCOPE}
        if "refresh_token" not in client.grants:
            allowed -= {OFFLINE_ACCESS}
        return self.grant(allowed - _ONLY_IF_ASKED_FOR if requested is None else requested, allowed=allowed)

    def describe(self, scopes: frozenset[str]) -> Mapping[str, str]:
        """Scopes for people: name → description, sorted."""
        known = {ADMIN_SCOPE: "Administer everything", **OPENID_SCOPES, **self.declared}
        return {name: known.get(name) or name for name in sorted(scopes)}

    def allowed_for_client(self, client: Client) -> frozenset[str]:
        """What a client may have for itself: of its scopes, those that are declared, and `admin`."""
        return client.scopes & (self.declared.keys() | {ADMIN_SCOPE})

    def grant(self, requested: frozenset[str] | None, *, allowed: frozenset[str]) -> frozenset[str]:
        """Settle what a login gets.

        Args:
            requested: None for everything that is allowed, but for `admin`, which is given to those alone who ask.
            allowed: What the user may have.

        Returns:
            What was asked for and is allowed (RFC 6749 §3.3: the answer tells where that is less).

        Raises:
            InvalidScope: A scope is unknown, or nothing that was asked for is allowed.
        """
        if requested is None:
            return allowed - {ADMIN_SCOPE}
        if unknown := requested - self.declared.keys() - RESERVED_SCOPES:
            raise InvalidScope(f"{len(unknown)} unknown scopes were requested")
        granted = requested & allowed
        if not granted:
            raise InvalidScope("nothing that was requested is allowed")
        return granted


def parse_scope(parameter: str | None) -> frozenset[str] | None:
    """Split a `scope` parameter (RFC 6749 §3.3); None where it is omitted or empty.

    Raises:
        InvalidScope: It is longer than any honest one.
    """
    if not parameter or not parameter.strip(" "):
        return None
    if len(parameter) > _MAX_PARAMETER:
        raise InvalidScope("the scope parameter is longer than 4,096 characters")
    return read_scope(parameter)


def read_scope(text: str) -> frozenset[str]:
    """The scopes of a `scope` claim or parameter (RFC 6749 §3.3); `split()` would take any white space of Unicode."""
    return frozenset(text.split(" ")) - {""}


def format_scope(scopes: frozenset[str]) -> str:
    """Write scopes as a `scope` parameter, sorted."""
    return " ".join(sorted(scopes))
