"""What a client may be registered as (RFC 7591 §2): checked in one place, whoever registers it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from watchword.crypto.client_keys import BadKeys, checked_keys
from watchword.errors import InvalidInput, NotFound
from watchword.identity.redirect_uris import problem_with
from watchword.model import Client, ClientAuthMethod
from watchword.settings import SigningAlgorithm, format_duration, is_scope

GRANTS: Final = ("authorization_code", "client_credentials", "refresh_token")
"""What a client may be registered for. The password grant is the first party's alone (RFC 9700 §2.4)."""

ID_TOKEN_ALGORITHMS: Final = (SigningAlgorithm.RS256, SigningAlgorithm.ES256)
"""What may sign ID tokens, the default first: each can be verified with what we publish."""

LONGEST_ACCESS_TOKEN: Final = timedelta(days=1)
_LONGEST_IDLE: Final = timedelta(days=3650)
_LONGEST_NAME: Final = 255
_MOST_URIS: Final = 100
_MOST_SCOPES: Final = 1000


@dataclass(frozen=True, slots=True)
class ClientMetadata:
    """What somebody wants a client to be; the fields are those of `Client`."""

    name: str
    grants: Collection[str]
    scopes: Collection[str] = ()
    redirect_uris: Collection[str] = ()
    auth_method: str = ClientAuthMethod.BASIC
    jwks: Mapping[str, Any] | None = None
    access_token_lifetime: timedelta | None = None
    refresh_idle_lifetime: timedelta | None = None
    is_first_party: bool = False
    id_token_algorithm: str = SigningAlgorithm.RS256
    post_logout_redirect_uris: Collection[str] = ()
    backchannel_logout_uri: str | None = None
    resources: Collection[str] = ()

    @classmethod
    def of(cls, client: Client) -> "ClientMetadata":
        """What a client is."""
        return cls(
            name=client.name,
            grants=client.grants,
            scopes=client.scopes,
            redirect_uris=client.redirect_uris,
            auth_method=client.auth_method,
            jwks=client.jwks,
            access_token_lifetime=client.access_token_lifetime,
            refresh_idle_lifetime=client.refresh_idle_lifetime,
            is_first_party=client.is_first_party,
            id_token_algorithm=client.id_token_algorithm,
            post_logout_redirect_uris=client.post_logout_redirect_uris,
            backchannel_logout_uri=client.backchannel_logout_uri,
            resources=client.resources,
        )

    def client(self, client_id: str) -> Client:
        """The client, if it can be one.

        Raises:
            InvalidInput: It cannot; the text says why.
        """
        method = _auth_method(self.auth_method)
        is_public = method is ClientAuthMethod.NONE
        _check_name(self.name)
        self._check_grants(is_public=is_public)
        _check_scopes(self.scopes)
        _check_uris("redirect URI", self.redirect_uris, is_public=is_public)
        _check_uris("post-logout redirect URI", self.post_logout_redirect_uris, is_public=is_public)
        # What we call ourselves, and what a resource server is known by, is never an app on a phone.
        called = [] if self.backchannel_logout_uri is None else [self.backchannel_logout_uri]
        _check_uris("back-channel logout URI", called, is_public=False)
        _check_uris("resource", self.resources, is_public=False)
        if self.id_token_algorithm not in ID_TOKEN_ALGORITHMS:
            raise _refused(f"ID tokens are signed by {' or '.join(ID_TOKEN_ALGORITHMS)}")
        _check_lifetime("access token", self.access_token_lifetime, LONGEST_ACCESS_TOKEN)
        _check_lifetime("refresh idle", self.refresh_idle_lifetime, _LONGEST_IDLE)
        return Client(
            id=client_id,
            name=self.name,
            is_public=is_public,
            grants=frozenset(self.grants),
            scopes=frozenset(self.scopes),
            redirect_uris=frozenset(self.redirect_uris),
            auth_method=method,
            jwks=self._checked_keys(method),
            access_token_lifetime=self.access_token_lifetime,
            refresh_idle_lifetime=self.refresh_idle_lifetime,
            is_first_party=self.is_first_party,
            id_token_algorithm=str(self.id_token_algorithm),
            post_logout_redirect_uris=frozenset(self.post_logout_redirect_uris),
            backchannel_logout_uri=self.backchannel_logout_uri,
            resources=frozenset(self.resources),
        )

    def _check_grants(self, *, is_public: bool) -> None:
        if not self.grants or not set(self.grants) <= set(GRANTS):
            raise _refused(f"grants must be among {', '.join(GRANTS)}; the password grant is the app's own")
        if is_public and "client_credentials" in self.grants:
            raise _refused("client_credentials is for clients that can keep a secret (RFC 6749 §4.4)")
        if "authorization_code" in self.grants and not self.redirect_uris:
            raise _refused("authorization_code needs a redirect URI")

    def _checked_keys(self, method: ClientAuthMethod) -> Mapping[str, Any] | None:
        if method is not ClientAuthMethod.PRIVATE_KEY_JWT:
            if self.jwks is not None:
                raise _refused("a JWK Set is for private_key_jwt")
            return None
        try:
            return checked_keys(self.jwks)
        except BadKeys as error:
            raise _refused(f"private_key_jwt: {error}") from None


def no_such_client() -> NotFound:
    """What whoever administers clients is told of one that there is not."""
    return NotFound("no such client", text="There is no client with this id")


def _auth_method(name: str) -> ClientAuthMethod:
    try:
        return ClientAuthMethod(name)
    except ValueError:
        raise _refused(f"the authentication method must be among {', '.join(ClientAuthMethod)}") from None


def _check_name(name: str) -> None:
    if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        raise _refused("the name must be 1 to 255 printable characters")


def _check_scopes(scopes: Collection[str]) -> None:
    # Not whether the app declares them: the command line does not know what it declares in Python.
    if len(scopes) > _MOST_SCOPES or not all(is_scope(scope) for scope in scopes):
        raise _refused("a scope must be printable ASCII without space, quote and backslash (RFC 6749 §3.3)")


def _check_uris(what: str, uris: Collection[str], *, is_public: bool) -> None:
    if len(uris) > _MOST_URIS:
        raise _refused(f"at most {_MOST_URIS} {what}s")
    for uri in uris:
        if problem := problem_with(uri, is_public=is_public):
            raise InvalidInput(f"the {what} {uri[:200]!r}", text=f"a {what} is not acceptable: {problem}")


def _check_lifetime(what: str, lifetime: timedelta | None, longest: timedelta) -> None:
    if lifetime is not None and not timedelta(seconds=1) <= lifetime <= longest:
        raise _refused(f"the {what} lifetime must be 1s to {format_duration(longest)}")


def _refused(text: str) -> InvalidInput:
    return InvalidInput(text=text)
