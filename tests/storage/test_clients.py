"""The client store on both databases: what is raced, and what is pruned."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, update
from tests.conftest import SCOPES, make_settings
from tests.http.clients import Signer
from typing_extensions import override

from watchword import InvalidInput, StorageDown, Watchword
from watchword.errors import InvalidClient, InvalidToken
from watchword.flows.prune import Prune, Pruned
from watchword.grants import Parameters
from watchword.identity.authenticate_client import ClientCredentials
from watchword.model import Client, Device
from watchword.storage import Database
from watchword.storage.tables import client_assertion

pytestmark = pytest.mark.anyio

Start = Callable[..., Any]


@pytest.fixture
async def auth(database_url: str) -> AsyncIterator[Watchword[Any]]:
    auth: Watchword[Any] = Watchword(make_settings(database_url), scopes=SCOPES)
    async with auth.lifespan(FastAPI()):
        yield auth


def database_of(auth: Watchword[Any]) -> Database:
    return auth.open_session.storage


async def service(auth: Watchword[Any], **metadata: Any) -> tuple[Client, str]:
    fields: dict[str, Any] = {"grants": ["client_credentials"], "scopes": ["orders:read"], **metadata}
    client, secret = await auth.clients.create("A service", **fields)
    return client, "" if secret is None else secret.value


async def token(auth: Watchword[Any], credentials: ClientCredentials) -> str:
    client = await auth.use_cases.authenticate_client(credentials)
    issued = await auth.use_cases.grants["client_credentials"](client, Parameters({}), Device())
    return issued.access_token


async def test_row_29_of_fifty_uses_of_one_assertion_at_once_one_succeeds(auth: Watchword[Any]) -> None:
    signer = Signer()
    client, _ = await service(auth, auth_method="private_key_jwt", jwks=signer.public_jwk)
    text = signer.sign(client.id)
    attempts = [auth.use_cases.authenticate_client(ClientCredentials(assertion=text)) for _ in range(50)]
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    assert sum(isinstance(outcome, Client) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, InvalidClient) for outcome in outcomes) == 49


async def test_of_many_new_secrets_at_once_two_are_made(auth: Watchword[Any]) -> None:
    client, first = await service(auth)
    outcomes = await asyncio.gather(*(auth.clients.add_secret(client.id) for _ in range(8)), return_exceptions=True)
    made = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
    assert len(made) == 1
    assert sum(isinstance(outcome, InvalidInput) for outcome in outcomes) == 7
    assert len(await auth.clients.secrets(client.id)) == 2
    for secret in (first, made[0].value):
        await token(auth, ClientCredentials(client.id, secret, in_header=True))


async def test_two_changes_at_once_do_not_undo_each_other(auth: Watchword[Any]) -> None:
    client, _ = await service(auth)
    await asyncio.gather(
        auth.clients.change(client.id, name="Renamed"),
        auth.clients.change(client.id, scopes=["orders:write"]),
        auth.clients.change(client.id, access_token_lifetime=timedelta(hours=1)),
        auth.clients.disable(client.id),
    )
    found = await auth.clients.get(client.id)
    assert found is not None
    assert (found.name, found.scopes, found.access_token_lifetime, found.is_active) == (
        "Renamed", frozenset({"orders:write"}), timedelta(hours=1), False)  # fmt: skip


async def test_an_assertion_of_a_client_that_is_gone_is_refused(auth: Watchword[Any]) -> None:
    async with database_of(auth).transaction() as stores:
        assert not await stores.clients.use_assertion("nobody", b"x" * 32, expires_at=int(time.time()) + 60)


async def test_assertions_are_pruned_when_nobody_could_send_them_again(auth: Watchword[Any]) -> None:
    database = database_of(auth)
    signer = Signer()
    client, _ = await service(auth, auth_method="private_key_jwt", jwks=signer.public_jwk)
    for _ in range(3):
        await token(auth, ClientCredentials(assertion=signer.sign(client.id)))
    assert await Prune(database, timedelta(days=30))() == Pruned()
    async with database.connection(writes=True) as connection:
        one = select(client_assertion.c.jti_digest).limit(1).scalar_subquery()
        old = datetime.now(UTC) - timedelta(seconds=1)
        await connection.execute(
            update(client_assertion).where(client_assertion.c.jti_digest == one).values(expires_at=old)
        )
    assert await Prune(database, timedelta(days=30))() == Pruned(assertions=1)
    async with database.connection() as connection:
        assert (await connection.execute(select(func.count()).select_from(client_assertion))).scalar_one() == 2


async def test_row_19_another_process_hears_that_a_client_is_out(database_url: str, start: Start) -> None:
    # Two Watchwords know nothing of each other but by the database, as two processes do.
    async with start(database_url) as here, start(database_url) as there:
        client, secret = await service(here)
        credentials = ClientCredentials(client.id, secret, in_header=True)
        access_token = await token(there, credentials)
        assert (await there.verify_credential(access_token)).principal.client_id == client.id
        await here.clients.change(client.id, scopes=[])
        await until_it_is_so(lambda: scopes(there, access_token), frozenset())
        new = await here.clients.add_secret(client.id)
        await token(there, ClientCredentials(client.id, new.value, in_header=True))  # without any delay
        await here.clients.disable(client.id)
        await until_it_is_so(lambda: is_in(there, credentials), outcome=False)
        await until_it_is_so(lambda: scopes(there, access_token), None)


async def until_it_is_so(ask: Callable[[], Any], outcome: Any) -> None:
    """Within the staleness bound of a second, and some time for the machine."""
    began = time.monotonic()
    while await ask() != outcome:
        assert time.monotonic() - began < 2
        await asyncio.sleep(0.01)


async def is_in(auth: Watchword[Any], credentials: ClientCredentials) -> bool:
    try:
        await token(auth, credentials)
    except InvalidClient:
        return False
    return True


async def scopes(auth: Watchword[Any], access_token: str) -> frozenset[str] | None:
    try:
        return (await auth.verify_credential(access_token)).principal.scopes
    except InvalidToken:
        return None


async def test_what_is_remembered_is_not_believed_while_the_feed_is_old(database_url: str, start: Start) -> None:
    async with start(database_url) as auth:
        client, secret = await service(auth)
        credentials = ClientCredentials(client.id, secret, in_header=True)
        await token(auth, credentials)
        authenticate = auth.use_cases.authenticate_client
        database, authenticate._storage = authenticate._storage, _Down()
        await token(auth, credentials)
        auth.feed.staleness = -1.0
        with pytest.raises(StorageDown):
            await token(auth, credentials)
        authenticate._storage = database
        await token(auth, credentials)


class _Down(Database):
    def __init__(self) -> None: ...

    @override
    def reading(self) -> Any:
        raise StorageDown("it is down")
