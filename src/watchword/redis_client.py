"""How Redis is reached, where there is one."""

from typing import TYPE_CHECKING, Any

from watchword.errors import ConfigurationError

if TYPE_CHECKING:
    from redis.asyncio import Redis


def open_redis(url: str, *, timeout: float, **options: Any) -> "Redis":  # noqa: ANN401 — redis' own options
    """A client that never tries again by itself: what a Redis that was restarted has forgotten, its users must know.

    Args:
        url: Its address.
        timeout: Seconds that a connection and an answer may take.
        options: Of `Redis.from_url`.

    Raises:
        ConfigurationError: The package `redis` is not installed, or the address unusable.
    """
    try:
        from redis.asyncio import Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff
    except ModuleNotFoundError:
        raise ConfigurationError("WATCHWORD_REDIS_URL needs the package redis: install watchword[redis]") from None
    every = {"socket_timeout": timeout, "socket_connect_timeout": timeout, **options}
    try:
        client: Redis = Redis.from_url(url, retry=Retry(NoBackoff(), 0), **every)
    except ValueError:  # whatever the parser says may quote the password
        raise ConfigurationError("WATCHWORD_REDIS_URL is not an address that redis can read") from None
    return client
