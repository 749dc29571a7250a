"""Client credentials → the client (RFC 6749 §2.3, RFC 7523 §2.2)."""

import hmac
import re
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeVar

from watchword.crypto import client_keys, opaque_tokens
from watchword.crypto.client_keys import Assertion, ClientKey, VerifiedAssertion
from watchword.crypto.jwt import BadToken
from watchword.crypto.opaque_tokens import BadOpaqueToken
from watchword.errors import InvalidClient
from watchword.events import NOWHERE, ClientRefused, Events
from watchword.feed import Feed
from watchword.limits import Limits
from watchword.model import FIRST_PARTY, Client, ClientAuthMethod, Device, Revocation, RevocationKind
from watchword.storage import Database
from watchword.storage.clients import RegisteredClient

SECRET_PREFIX: Final = "wws_"  # noqa: S105 — how client secrets begin
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
"""The one `client_assertion_type` there is (RFC 7523 §2.2)."""

T = TypeVar("T")

_CLIENT_ID: Final = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """What a request says about its client; empty strings and absence mean the same (Swagger UI sends empty fields).

    Attributes:
        in_header: Whether they came in the Authorization header, and not in the body.
        assertion: A signed statement instead of a secret.
    """

    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    in_header: bool = False
    assertion: str | None = field(default=None, repr=False)

    @property
    def is_first_party(self) -> bool:
        """Whether nothing says that it is anybody else."""
        return self.client_id in {None, "", FIRST_PARTY} and not self.client_secret and not self.assertion

    @property
    def method(self) -> ClientAuthMethod:
        """The method that was used."""
        if self.assertion:
            return ClientAuthMethod.PRIVATE_KEY_JWT
        if not self.client_secret:
            return ClientAuthMethod.NONE
        return ClientAuthMethod.BASIC if self.in_header else ClientAuthMethod.POST


_FIRST_PARTY_CLIENT: Final = Client(
    FIRST_PARTY, name="The app itself", grants=frozenset({"password", "refresh_token"}), is_public=True
)


@dataclass(frozen=True, slots=True)
class _Known:
    """A client as it was read, and what it takes to authenticate it.

    Attributes:
        since: The feed's position before it was read.
    """

    registered: RegisteredClient
    keys: Sequence[ClientKey]
    revocation_key: str
    since: int

    @property
    def client(self) -> Client:
        return self.registered.client


class AuthenticateClient:
    """Finds the client a request comes from. The first party is public: it has no secret and needs no name.

    Clients are remembered, as guards remember tokens: a good secret costs a hash and a comparison, and no query. What
    is not good is refused only after the database was asked again, so that a new secret works at once.

    Args:
        storage: Where clients are registered.
        feed: Says whether what was read may still be believed.
        events: Who wants to hear of refusals.
        limits: How many may fail from one network.
        audiences: What an assertion may be addressed to: the issuer, the token endpoint.
        leeway: Seconds by which the clock of a client that signs may be ahead.
        size: Clients remembered at most; the least recently used goes first.
        clock: Unix time in seconds.
    """

    def __init__(
        self,
        storage: Database,
        feed: Feed,
        events: Events,
        limits: Limits,
        *,
        audiences: Collection[str],
        leeway: float,
        size: int,
        clock: Callable[[], float],
    ) -> None:
        self._storage = storage
        self._feed = feed
        self._events = events
        self._limits = limits
        self._audiences = audiences
        self._leeway = leeway
        self._size = size
        self._clock = clock
        self._known: OrderedDict[str, _Known] = OrderedDict()

    async def __call__(self, credentials: ClientCredentials, device: Device = NOWHERE) -> Client:
        """Authenticate.

        Raises:
            InvalidClient: No such client, disabled, not its secret, or another method than it registered. The answer
                is the same for all.
            TooManyRequests: Too many failed from this network.
            StorageDown: The database does not answer.
        """
        if credentials.is_first_party:
            return _FIRST_PARTY_CLIENT
        try:
            async with self._limits.failures("client", device, InvalidClient):
                return await self._authenticate(credentials)
        except InvalidClient as refusal:
            await self._events.emit(ClientRefused(reason=refusal.detail, device=device))
            raise

    async def _authenticate(self, credentials: ClientCredentials) -> Client:
        if credentials.assertion:
            return await self._by_assertion(credentials, credentials.assertion)
        client_id = credentials.client_id or FIRST_PARTY
        if client_id == FIRST_PARTY:
            raise InvalidClient("a secret for the first party, which has none")
        if not credentials.client_secret:
            return (await self._find(client_id, credentials.method, _nothing_to_check))[0]
        digest = _digest(credentials.client_secret)
        return (await self._find(client_id, credentials.method, partial(self._check_secret, digest)))[0]

    async def _by_assertion(self, credentials: ClientCredentials, text: str) -> Client:
        try:
            assertion = client_keys.read_assertion(text)
        except BadToken as error:
            raise InvalidClient(f"client assertion: {error}") from None
        if credentials.client_id not in {None, "", assertion.client_id}:  # RFC 7521 §4.2
            raise InvalidClient("client_id is another than the assertion's")
        check = partial(self._check_assertion, assertion)
        client, verified = await self._find(assertion.client_id, ClientAuthMethod.PRIVATE_KEY_JWT, check)
        async with self._storage.transaction() as stores:
            is_first = await stores.clients.use_assertion(
                client.id, verified.jti_digest, expires_at=verified.expires_at
            )
        if not is_first:
            raise InvalidClient(f"client {client.id} sent an assertion again")
        return client

    async def _find(self, client_id: str, method: ClientAuthMethod, check: Callable[[_Known], T]) -> tuple[Client, T]:
        """The client and what was checked, by what is remembered of it if that is enough."""
        if not _CLIENT_ID.fullmatch(client_id):  # it may hold what no database takes
            raise InvalidClient("a client_id that none has")
        known = self._recall(client_id)
        if known is not None:
            with suppress(InvalidClient):  # it may have a new secret or key since
                return known.client, _checked(known, method, check)
        known = await self._read(client_id)
        checked = _checked(known, method, check)
        self._remember(known)
        return known.client, checked

    async def _read(self, client_id: str) -> _Known:
        since = self._feed.position  # before the database is read: what arrives meanwhile counts as later
        async with self._storage.reading() as stores:
            registered = await stores.clients.find(client_id)
        if registered is None:
            raise InvalidClient("no such client")
        if not registered.client.is_active:
            raise InvalidClient(f"client {client_id} is disabled")
        jwks = registered.client.jwks
        keys = () if jwks is None else client_keys.read_keys(jwks)
        return _Known(registered, keys, Revocation(RevocationKind.CLIENT, client_id).key, since)

    def _recall(self, client_id: str) -> _Known | None:
        known = self._known.get(client_id)
        if known is None:
            return None
        if self._feed.holds((known.revocation_key,), since=known.since):
            self._known.move_to_end(client_id)
            return known
        del self._known[client_id]
        return None

    def _remember(self, known: _Known) -> None:
        if self._size:
            self._known[known.client.id] = known
            if len(self._known) > self._size:
                self._known.popitem(last=False)

    def _check_secret(self, digest: bytes, known: _Known) -> None:
        now = self._clock()
        is_good = False
        for secret in known.registered.secrets:  # all of them, and each in constant time
            is_in_force = secret.expires_at is None or secret.expires_at.timestamp() > now
            is_good |= hmac.compare_digest(secret.digest, digest) and is_in_force
        if not is_good:
            raise InvalidClient(f"client {known.client.id} came with a secret that is not its own")

    def _check_assertion(self, assertion: Assertion, known: _Known) -> VerifiedAssertion:
        try:
            return assertion.verify(known.keys, audiences=self._audiences, now=self._clock(), leeway=self._leeway)
        except BadToken as error:
            raise InvalidClient(f"assertion of client {known.client.id}: {error}") from None


def _checked(known: _Known, method: ClientAuthMethod, check: Callable[[_Known], T]) -> T:
    registered = known.client.auth_method
    if registered is not method:
        raise InvalidClient(f"client {known.client.id} came by {method}, and is registered for {registered}")
    return check(known)


def _nothing_to_check(_known: _Known) -> None:
    return


def _digest(secret: str) -> bytes:
    try:
        return opaque_tokens.digest(SECRET_PREFIX, secret)
    except BadOpaqueToken as error:
        raise InvalidClient(f"no client secret of ours: {error}") from None
