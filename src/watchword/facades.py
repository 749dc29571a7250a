"""`auth.users`, `auth.sessions` and `auth.clients`: accounts, logins and OAuth clients, for host code."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypedDict
from uuid import UUID

from typing_extensions import Unpack

from watchword.flows.change_client import ChangeClient
from watchword.flows.client_secrets import ClientSecrets
from watchword.flows.create_client import CreateClient
from watchword.flows.delete_client import DeleteClient
from watchword.flows.delete_user import DeleteUser
from watchword.flows.end_sessions import EndSessions
from watchword.flows.find_client import FindClient
from watchword.flows.find_user import FindUser
from watchword.flows.list_sessions import ListSessions
from watchword.flows.register import Register, Registration
from watchword.flows.set_active import SetActive
from watchword.flows.update_profile import UpdateProfile
from watchword.identity.client_metadata import ClientMetadata
from watchword.model import Account, Client, ClientAuthMethod, ClientSecret, NewClientSecret, P, Session, User


@dataclass(frozen=True, slots=True)
class Users(Generic[P]):
    """A façade over the use cases; every method raises `StorageDown` where the database does not answer."""

    _profile: type[P]
    _register: Register
    _find: FindUser
    _update_profile: UpdateProfile
    _set_active: SetActive
    _delete: DeleteUser

    async def create(
        self,
        email: str,
        password: str | None = None,
        *,
        password_hash: str | None = None,
        profile: Mapping[str, Any] | None = None,
    ) -> User[P]:
        """Make an account; with neither password nor hash it cannot log in with a password.

        Args:
            email: The address to log in with.
            password: What the policy allows.
            password_hash: Instead of a password, a hash made elsewhere: bcrypt, Argon2, PBKDF2 or scrypt as passlib,
                pwdlib, fastapi-users, Django and Werkzeug write them. It is replaced at the first login if it is not
                Argon2id, or weaker than ours.
            profile: The host's own fields.

        Raises:
            InvalidInput: The address, the profile or the hash does not fit.
            WeakPassword: The password does not meet the policy.
            EmailTaken: There is such an account.
            HashingBusy: The hashing queue is full.
        """
        return self._public(await self._register(Registration(email, password, profile or {}, password_hash)))

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

    async def delete(self, user_id: UUID) -> None:
        """Delete a user.

        Raises:
            NotFound: There is no such user.
            StillReferenced: A table of the host refers to the user.
        """
        await self._delete(user_id)

    def _public(self, account: Account) -> User[P]:
        return account.user(self._profile)


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


class ClientChanges(TypedDict, total=False):
    """What can be changed of a client; what is left out stays. A lifetime of None is that of the settings."""

    name: str
    grants: Collection[str]
    scopes: Collection[str]
    redirect_uris: Collection[str]
    auth_method: str
    jwks: Mapping[str, Any] | None
    access_token_lifetime: timedelta | None
    refresh_idle_lifetime: timedelta | None


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
        self,
        name: str,
        *,
        grants: Collection[str],
        scopes: Collection[str] = (),
        redirect_uris: Collection[str] = (),
        auth_method: str = ClientAuthMethod.BASIC,
        jwks: Mapping[str, Any] | None = None,
        access_token_lifetime: timedelta | None = None,
        refresh_idle_lifetime: timedelta | None = None,
    ) -> tuple[Client, NewClientSecret | None]:
        """Register a client.

        Args:
            name: What people call it.
            grants: `client_credentials`, `authorization_code`, `refresh_token`.
            scopes: What its tokens may carry at most.
            redirect_uris: Where authorization codes may be sent, each to the letter.
            auth_method: `client_secret_basic`, `client_secret_post`, `private_key_jwt`, or `none` for a public client.
            jwks: Its public keys, with `private_key_jwt`: a JWK Set or one JWK.
            access_token_lifetime: At most a day; that of users' sessions at most `WATCHWORD_ACCESS_TOKEN_LIFETIME`.
            refresh_idle_lifetime: How long its sessions live without a refresh.

        Returns:
            The client, and its secret where it has one. The secret cannot be had again.

        Raises:
            InvalidInput: It cannot be such a client; the text says why.
        """
        metadata = ClientMetadata(
            name=name,
            grants=grants,
            scopes=scopes,
            redirect_uris=redirect_uris,
            auth_method=auth_method,
            jwks=jwks,
            access_token_lifetime=access_token_lifetime,
            refresh_idle_lifetime=refresh_idle_lifetime,
        )
        return await self._create(metadata)

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
