"""`auth.users`, `auth.sessions`, `auth.roles`, `auth.clients` and `auth.api_keys`, for host code."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypedDict
from uuid import UUID

from typing_extensions import Unpack

from watchword.flows.change_client import ChangeClient
from watchword.flows.client_secrets import ClientSecrets
from watchword.flows.create_api_key import ApiKeyRequest, CreateApiKey
from watchword.flows.create_client import CreateClient
from watchword.flows.delete_client import DeleteClient
from watchword.flows.delete_user import DeleteUser
from watchword.flows.end_sessions import EndSessions
from watchword.flows.find_client import FindClient
from watchword.flows.find_user import FindUser
from watchword.flows.list_api_keys import ListApiKeys
from watchword.flows.list_sessions import ListSessions
from watchword.flows.manage_roles import ManageRoles
from watchword.flows.manage_second_factor import ManageSecondFactor
from watchword.flows.register import Register, Registration
from watchword.flows.request_password_reset import RequestPasswordReset
from watchword.flows.revoke_api_key import RevokeApiKey
from watchword.flows.set_active import SetActive
from watchword.flows.update_profile import UpdateProfile
from watchword.identity.client_metadata import ClientMetadata
from watchword.model import (
    Account,
    ApiKey,
    Client,
    ClientSecret,
    CreatedApiKey,
    NewClientSecret,
    Owner,
    P,
    Role,
    Session,
    User,
)


@dataclass(frozen=True, slots=True)
class Users(Generic[P]):
    """A façade over the use cases; every method raises `StorageDown` where the database does not answer."""

    _profile: type[P]
    _register: Register
    _find: FindUser
    _update_profile: UpdateProfile
    _set_active: SetActive
    _delete: DeleteUser
    _request_password_reset: RequestPasswordReset
    _second_factor: ManageSecondFactor

    async def create(
        self,
        email: str,
        password: str | None = None,
        *,
        password_hash: str | None = None,
        profile: Mapping[str, Any] | None = None,
        roles: Collection[str] | None = None,
        is_email_verified: bool = False,
    ) -> User[P]:
        """Make an account; with neither password nor hash it cannot log in with a password.

        Args:
            email: The address to log in with.
            password: What the policy allows.
            password_hash: Instead of a password, a hash made elsewhere: bcrypt, Argon2, PBKDF2 or scrypt as passlib,
                pwdlib, fastapi-users, Django and Werkzeug write them. It is replaced at the first login if it is not
                Argon2id, or weaker than ours.
            profile: The host's own fields.
            roles: The names of roles; None for the role of new users.
            is_email_verified: Whether the address is known to be theirs.

        Raises:
            InvalidInput: The address, the profile, the hash or a role does not fit.
            WeakPassword: The password does not meet the policy.
            EmailTaken: There is such an account.
            HashingBusy: The hashing queue is full.
        """
        names = None if roles is None else frozenset(roles)
        wanted = Registration(email, password, profile or {}, password_hash, names, is_email_verified)
        return self._public(await self._register(wanted))

    async def get(self, user_id: UUID) -> User[P] | None:
        """The user with this id; None if there is none."""
        account = await self._find.by_id(user_id)
        return None if account is None else self._public(account)

    async def find(self, email: str) -> User[P] | None:
        """The user with this address, in upper or lower case; None if there is none."""
        account = await self._find.by_email(email)
        return None if account is None else self._public(account)

    async def page(self, *, after: UUID | None = None, limit: int = 100) -> Sequence[User[P]]:
        """Users in the order they were made.

        Args:
            after: The id of the last one of the page before.
            limit: How many at most.
        """
        return [self._public(account) for account in await self._find.page(after=after, limit=limit)]

    async def update_profile(self, user_id: UUID, changes: Mapping[str, Any]) -> User[P]:
        """Change fields of the profile; None takes one back to its default.

        Raises:
            InvalidInput: The result does not fit the model; nothing is changed.
            NotFound: There is no such user.
        """
        return self._public(await self._update_profile(user_id, changes))

    async def disable(self, user_id: UUID) -> User[P]:
        """Shut a user out, at once: every token ends.

        Raises:
            NotFound: There is no such user.
        """
        return self._public(await self._set_active(user_id, active=False))

    async def enable(self, user_id: UUID) -> User[P]:
        """Let a disabled user log in again. Tokens from before stay ended.

        Raises:
            NotFound: There is no such user.
        """
        return self._public(await self._set_active(user_id, active=True))

    async def reset_second_factor(self, user_id: UUID) -> User[P]:
        """Remove the second factor of a user who lost it, recovery codes too, and end all their sessions.

        Raises:
            NotFound: There is no such user.
        """
        return self._public(await self._second_factor.reset(user_id))

    async def delete(self, user_id: UUID) -> None:
        """Delete a user.

        Raises:
            NotFound: There is no such user.
            StillReferenced: A table of the host refers to the user.
        """
        await self._delete(user_id)

    async def password_reset_link(self, user_id: UUID) -> str:
        """A link that sets a new password, good once and for ten minutes, to hand over by another way than mail.

        Raises:
            NotFound: There is no such user, or they are disabled.
        """
        return (await self._request_password_reset.link(user_id)).url

    def _public(self, account: Account) -> User[P]:
        return account.user(self._profile)


@dataclass(frozen=True, slots=True)
class Roles(Generic[P]):
    """Named sets of scopes; every method raises `StorageDown` where the database does not answer.

    What changes is in force at once, for tokens that are out too: here before the method returns, in other processes
    within `WATCHWORD_REVOCATION_STALENESS`.
    """

    _profile: type[P]
    _manage: ManageRoles

    async def create(self, name: str, scopes: Collection[str], *, description: str = "") -> Role:
        """Make a role.

        Args:
            name: Up to 64 letters, digits and `_ . : -`.
            scopes: What it allows; `*` is all that the app declares.
            description: For people.

        Raises:
            InvalidInput: The name or a scope cannot be used, or there is such a role.
        """
        return await self._manage.create(Role(name, description, frozenset(scopes)))

    async def page(self, *, after: str | None = None, limit: int = 100) -> Sequence[Role]:
        """Roles by name.

        Args:
            after: The name of the last one of the page before.
            limit: How many at most.
        """
        return await self._manage.page(after=after, limit=limit)

    async def set_scopes(self, name: str, scopes: Collection[str]) -> Role:
        """Let a role allow these scopes and no others.

        Raises:
            InvalidInput: A scope cannot be used.
            NotFound: There is no such role.
        """
        return await self._manage.replace_scopes(name, scopes)

    async def delete(self, name: str) -> None:
        """Delete a role, and take it from all who have it.

        Raises:
            InvalidInput: It is the role of new users.
            NotFound: There is no such role.
        """
        await self._manage.delete(name)

    async def give(self, user_id: UUID, name: str) -> User[P]:
        """Give a user a role.

        Raises:
            NotFound: There is no such user or role.
        """
        return (await self._manage.give(user_id, name)).user(self._profile)

    async def take(self, user_id: UUID, name: str) -> User[P]:
        """Take a role from a user.

        Raises:
            NotFound: There is no such user.
        """
        return (await self._manage.take(user_id, name)).user(self._profile)

    async def members(self, name: str, *, after: UUID | None = None, limit: int = 100) -> Sequence[User[P]]:
        """The users who have a role, by id.

        Raises:
            NotFound: There is no such role.
        """
        accounts = await self._manage.members(name, after=after, limit=limit)
        return [account.user(self._profile) for account in accounts]


@dataclass(frozen=True, slots=True)
class Sessions:
    """The logins of users; every method raises `StorageDown` where the database does not answer.

    What ends a session ends its tokens: here before the method returns, in other processes within
    `WATCHWORD_REVOCATION_STALENESS`.
    """

    _list: ListSessions
    _end: EndSessions

    async def list(self, user_id: UUID, *, before: UUID | None = None, limit: int = 100) -> Sequence[Session]:
        """The sessions of a user that are in force, the newest login first.

        Args:
            user_id: Whose.
            before: The id of the last one of the page before.
            limit: How many at most.
        """
        return await self._list(user_id, before=before, limit=limit)

    async def end(self, user_id: UUID, session_id: UUID) -> None:
        """Log a user out on one device.

        Raises:
            NotFound: The user has no such session, or it has ended.
        """
        await self._end.one(user_id, session_id)

    async def end_all(self, user_id: UUID) -> None:
        """Log a user out everywhere.

        Raises:
            NotFound: There is no such user.
        """
        await self._end.everywhere(user_id)


@dataclass(frozen=True, slots=True)
class ApiKeys:
    """Keys for programs; every method raises `StorageDown` where the database does not answer.

    An owner is a user's id, a `UUID`, or a client's, a `str`.
    """

    _create: CreateApiKey
    _list: ListApiKeys
    _revoke: RevokeApiKey

    async def create(
        self, owner: Owner, name: str, *, scopes: Collection[str], expires_in: timedelta | None = None
    ) -> CreatedApiKey:
        """Make a key. Its `secret` is shown this once.

        Args:
            owner: Whose.
            name: 1 to 100 printable characters.
            scopes: What it may do: at least one, and none that the owner may not have.
            expires_in: Its life; 90 days if it is left out, `WATCHWORD_API_KEY_MAX_LIFETIME` at most.

        Raises:
            InvalidInput: The name, the scopes or the lifetime cannot be.
            InvalidScope: A scope is reserved, or more than the owner may have.
            NotFound: There is no such user or client, or they are disabled.
            TooManyApiKeys: The owner has a hundred.
        """
        if isinstance(scopes, str):
            raise TypeError(f"scopes is a list: create(…, scopes=[{scopes!r}])")
        return await self._create(ApiKeyRequest(owner, name, frozenset(scopes), expires_in))

    async def list(self, owner: Owner, *, before: UUID | None = None, limit: int = 100) -> Sequence[ApiKey]:
        """The keys of an owner that are in force, the newest first.

        Args:
            owner: Whose.
            before: The id of the last one of the page before.
            limit: How many at most.
        """
        return await self._list(owner, before=before, limit=limit)

    async def rotate(self, key_id: UUID, *, grace: timedelta = timedelta(0)) -> CreatedApiKey:
        """Make a key with the owner, name, scopes and end of another, which is revoked.

        Args:
            key_id: The other one.
            grace: How long that one is still good.

        Raises:
            InvalidInput: The grace is longer than `WATCHWORD_API_KEY_MAX_LIFETIME`.
            NotFound: No such key is in force, or its owner is disabled.
            TooManyApiKeys: Both are to be good, and the owner has a hundred.
        """
        return await self._create.rotate(key_id, grace=grace)

    async def revoke(self, key_id: UUID) -> ApiKey:
        """Revoke a key, whoever's it is: here before this returns, elsewhere within `WATCHWORD_REVOCATION_STALENESS`.

        Raises:
            NotFound: No such key is in force.
        """
        return await self._revoke(key_id)


class ClientFields(TypedDict, total=False):
    """What a client is, beside its name and its grants. A lifetime of None is that of the settings.

    Attributes:
        scopes: What its tokens may carry at most.
        redirect_uris: Where authorization codes may be sent, each to the letter.
        auth_method: `client_secret_basic`, `client_secret_post`, `private_key_jwt`, or `none` for a public client.
        jwks: Its public keys, with `private_key_jwt`: a JWK Set or one JWK.
        access_token_lifetime: At most a day; that of users' sessions at most `WATCHWORD_ACCESS_TOKEN_LIFETIME`.
        refresh_idle_lifetime: How long its sessions live without a refresh.
        is_first_party: Whether it is the app's own, which people are not asked to consent to.
        id_token_algorithm: What signs its ID tokens, `RS256` or `ES256`.
        post_logout_redirect_uris: Where a browser may be sent after a logout, each to the letter.
        backchannel_logout_uri: Where it is told that a session has ended (OpenID Connect Back-Channel Logout).
        resources: Other resources that it may ask access tokens for (RFC 8707).
    """

    scopes: Collection[str]
    redirect_uris: Collection[str]
    auth_method: str
    jwks: Mapping[str, Any] | None
    access_token_lifetime: timedelta | None
    refresh_idle_lifetime: timedelta | None
    is_first_party: bool
    id_token_algorithm: str
    post_logout_redirect_uris: Collection[str]
    backchannel_logout_uri: str | None
    resources: Collection[str]


class ClientChanges(ClientFields, total=False):
    """What can be changed of a client; what is left out stays."""

    name: str
    grants: Collection[str]


@dataclass(frozen=True, slots=True)
class Clients:
    """The registered OAuth clients; every method raises `StorageDown` where the database does not answer.

    What changes here holds at once in this process, and in others within `WATCHWORD_REVOCATION_STALENESS`.
    """

    _create: CreateClient
    _find: FindClient
    _change: ChangeClient
    _delete: DeleteClient
    _secrets: ClientSecrets

    async def create(
        self, name: str, *, grants: Collection[str], **fields: Unpack[ClientFields]
    ) -> tuple[Client, NewClientSecret | None]:
        """Register a client.

        Args:
            name: What people call it.
            grants: `client_credentials`, `authorization_code`, `refresh_token`.
            **fields: What else it is.

        Returns:
            The client, and its secret where it has one. The secret cannot be had again.

        Raises:
            InvalidInput: It cannot be such a client; the text says why.
        """
        return await self._create(ClientMetadata(name=name, grants=grants, **fields))

    async def get(self, client_id: str) -> Client | None:
        """The client with this id; None if there is none."""
        return await self._find.by_id(client_id)

    async def page(self, *, after: str | None = None, limit: int = 100) -> Sequence[Client]:
        """Clients in the order they were registered.

        Args:
            after: The id of the last one of the page before.
            limit: How many at most.
        """
        return await self._find.page(after=after, limit=limit)

    async def change(self, client_id: str, **changes: Unpack[ClientChanges]) -> Client:
        """Change what a client is. Tokens it has carry no scope that it lost.

        Raises:
            NotFound: There is no such client.
            InvalidInput: It cannot be such a client; nothing is changed.
        """
        return await self._change(client_id, changes)

    async def disable(self, client_id: str) -> Client:
        """Shut a client out, at once: while it is disabled none of its tokens is good.

        Raises:
            NotFound: There is no such client.
        """
        return await self._change.set_active(client_id, active=False)

    async def enable(self, client_id: str) -> Client:
        """Let a disabled client in again. What it has that did not expire is good again.

        Raises:
            NotFound: There is no such client.
        """
        return await self._change.set_active(client_id, active=True)

    async def delete(self, client_id: str) -> None:
        """Delete a client; all its tokens end.

        Raises:
            NotFound: There is no such client.
        """
        await self._delete(client_id)

    async def secrets(self, client_id: str) -> Sequence[ClientSecret]:
        """What may be known of a client's secrets, the oldest first.

        Raises:
            NotFound: There is no such client.
        """
        return await self._find.secrets(client_id)

    async def add_secret(self, client_id: str, *, lifetime: timedelta | None = None) -> NewClientSecret:
        """Make the next secret, beside the one in use. It cannot be had again.

        Args:
            client_id: Whose.
            lifetime: How long it is good; None until it is removed.

        Raises:
            NotFound: There is no such client.
            InvalidInput: It has two already, or authenticates without a secret.
        """
        return await self._secrets.add(client_id, lifetime=lifetime)

    async def remove_secret(self, client_id: str, secret_id: UUID) -> None:
        """Remove a secret.

        Raises:
            NotFound: The client has no such secret.
        """
        await self._secrets.remove(client_id, secret_id)
