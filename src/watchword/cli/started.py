"""What commands share that ask a Watchword: one that is started, finding users, whole lists, durations."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final, TypeVar

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from watchword import Watchword
from watchword.errors import InvalidInput, NotFound
from watchword.facades import Users
from watchword.model import User
from watchword.settings import Duration

T = TypeVar("T")
Mark = TypeVar("Mark")

_duration: Final[TypeAdapter[timedelta]] = TypeAdapter(Duration)


class AnyProfile(BaseModel):
    """Whatever a host stored: the command line does not know its model."""

    model_config = ConfigDict(extra="allow")


@asynccontextmanager
async def started(*scopes: str) -> AsyncIterator[Watchword[AnyProfile]]:
    """A Watchword with the settings in force, within a block.

    Args:
        scopes: What counts as declared, besides those of the settings.

    Raises:
        ConfigurationError: It cannot start.
    """
    auth = Watchword(profile=AnyProfile, scopes=dict.fromkeys(scopes, ""))
    async with auth.lifespan(FastAPI(openapi_url=None)):
        yield auth


async def user_with(email: str, users: Users[AnyProfile]) -> User[Any]:
    """The user with this address.

    Raises:
        NotFound: There is none.
    """
    user = await users.find(email)
    if user is None:
        raise NotFound("no such email", text="There is no user with this email")
    return user


async def every(page: Callable[[Mark | None], Awaitable[Sequence[T]]], mark: Callable[[T], Mark]) -> list[T]:
    """All there are, page by page.

    Args:
        page: Those that follow a mark; the first ones, without.
        mark: That of the last one of a page.
    """
    found: list[T] = []
    while more := await page(mark(found[-1]) if found else None):
        found.extend(more)
    return found


def read_duration(option: str, text: str | None) -> timedelta | None:
    """A duration such as `90d`, if there is one.

    Raises:
        InvalidInput: It is none.
    """
    try:
        return None if text is None else _duration.validate_python(text)
    except ValidationError:
        raise InvalidInput(text=f"{option} is not a duration: write 3600, 12h, 90d or P90D") from None
