"""Signing keys are replaced as they age, with several processes running, and nobody notices; a revoked one is gone."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import jwt
import pytest
from sqlalchemy import select, update
from tests.conftest import SCOPES, Client, make_app, make_settings

from watchword import Watchword
from watchword.identity.keyring import KeySchedule
from watchword.storage.tables import signing_key

FAST = KeySchedule(
    signs_for=timedelta(seconds=1),
    published_for=timedelta(seconds=1.5),
    kept_for=timedelta(minutes=1),
    reload_every=timedelta(seconds=0.1),
)
STALENESS = 1.0


class Instance(Client):
    """A process, as far as keys go: an app with a keyring of its own on the shared database."""

    def __init__(self, database_url: str) -> None:
        self.watchword: Watchword[Any] = Watchword(make_settings(database_url), scopes=SCOPES)
        super().__init__(make_app(self.watchword))

    def published(self) -> dict[str, str]:
        """Kid → algorithm."""
        return {key["kid"]: key["alg"] for key in self.get("/auth/jwks").json()["keys"]}

    def turn(self) -> None:
        assert self.portal is not None
        self.portal.call(self.watchword.use_cases.keyring.turn)

    def rotate(self) -> None:
        assert self.portal is not None
        self.portal.call(self.watchword.use_cases.keyring.rotate)

    def backdate(self, column: str, by: timedelta) -> None:
        """Let what happened to the keys have happened so much earlier."""

        async def write() -> None:
            async with self.watchword.open_session.storage.connection(writes=True) as connection:
                for row in (await connection.execute(select(signing_key))).mappings().all():
                    if row[column] is not None:
                        change = update(signing_key).where(signing_key.c.kid == row["kid"])
                        await connection.execute(change.values({column: row[column] - by}))

        assert self.portal is not None
        self.portal.call(write)


def kid_of(headers: dict[str, str]) -> str:
    header = jwt.get_unverified_header(headers["Authorization"].removeprefix("Bearer "))
    kid: str = header["kid"]
    return kid


@pytest.fixture
def instances(database_url: str) -> Iterator[list[Instance]]:
    with ExitStack() as stack:
        yield [stack.enter_context(Instance(database_url)) for _ in range(3)]


def test_a_key_is_published_before_it_signs_and_after_it_stopped(database_url: str) -> None:
    schedule = KeySchedule.of(timedelta(days=90), token_lifetime=timedelta(minutes=15))
    with Instance(database_url) as client:
        client.sign_up()
        before = client.log_in()
        first = client.published()
        assert set(first.values()) == {"ES256", "RS256"}
        client.turn()
        assert client.published() == first

        client.backdate("activated_at", schedule.signs_for - schedule.published_for)
        client.turn()
        both = client.published()
        assert len(both) == 4
        assert set(first) < set(both)
        assert kid_of(client.log_in()) == kid_of(before), "the next key signs nothing yet"

        client.backdate("created_at", schedule.published_for)
        client.turn()
        assert kid_of(client.log_in()) in set(both) - set(first)
        assert client.published() == both
        assert client.get("/mine", headers=before).status_code == 200, "what the last key signed is still good"

        client.backdate("retired_at", schedule.kept_for)
        client.turn()
        assert set(client.published()) == set(both) - set(first)


def test_f6_keys_rotate_under_load_and_no_token_is_refused(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(KeySchedule, "of", lambda *_args, **_kwargs: FAST)
    with ExitStack() as stack:
        instances = [stack.enter_context(Instance(database_url)) for _ in range(3)]
        instances[0].sign_up()
        for instance in instances:  # FastAPI builds its routes at the first request, which two threads upset
            instance.get("/mine", headers=instance.log_in())
        until = time.monotonic() + 2.2

        def keep_asking(number: int) -> set[str]:
            here, there = instances[number], instances[(number + 1) % 3]
            seen = set()
            while time.monotonic() < until:
                headers = here.log_in()
                seen.add(kid_of(headers))
                answer = there.get("/mine", headers=headers)
                assert answer.status_code == 200, answer.text
            return seen

        with ThreadPoolExecutor(3) as threads:
            seen = set().union(*threads.map(keep_asking, range(3)))
        assert len(seen) >= 2, "a key signed after another"


def test_processes_that_rotate_at_once_publish_one_key(instances: list[Instance]) -> None:
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(Instance.rotate, instances))
        list(threads.map(Instance.turn, instances))
    assert len({frozenset(instance.published()) for instance in instances}) == 1
    assert len(instances[0].published()) == 4


def test_a_revoked_key_is_refused_in_every_process_at_once(instances: list[Instance]) -> None:
    here, there, _ = instances
    here.sign_up()
    tokens = here.ask_token().json()
    stolen = {"Authorization": f"Bearer {tokens['access_token']}"}
    for _ in range(2):  # remembered, in both
        assert {instance.get("/mine", headers=stolen).status_code for instance in (here, there)} == {200}
    assert here.portal is not None
    here.portal.call(here.watchword.use_cases.keyring.revoke, kid_of(stolen))
    deadline = time.monotonic() + STALENESS + 1
    while {instance.get("/mine", headers=stolen).status_code for instance in (here, there)} != {401}:
        assert time.monotonic() < deadline
    refreshed = here.post("/auth/refresh", json={"refresh_token": tokens["refresh_token"]}).json()
    renewed = {"Authorization": f"Bearer {refreshed['access_token']}"}
    assert {instance.get("/mine", headers=renewed).status_code for instance in (here, there)} == {200}
    assert kid_of(stolen) not in there.published()
