"""Servers that fail."""

import tempfile
from collections.abc import Iterator

import pytest
from tests.faults.redis_server import RedisServer, redis_executable


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    with tempfile.TemporaryDirectory(prefix="watchword-redis-") as directory:
        server = RedisServer(redis_executable(), directory)
        server.start()
        yield server
        server.kill()
