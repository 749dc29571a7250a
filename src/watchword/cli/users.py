"""`watchword users …`."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict

from watchword.app import Watchword
from watchword.errors import NotFound
from watchword.facades import Users
from watchword.model import User

T = TypeVar("T")


class AnyProfile(BaseModel):
    """Whatever a host stored: the command line does not know its model."""

    model_config = ConfigDict(extra="allow")


async def with_users(use: Callable[[Users[AnyProfile]], Awaitable[T]]) -> T:
    """Start Watchword with the settings in force, and do something with its users.

    Raises:
        ConfigurationError: It cannot start.
        Refusal: What was asked for cannot be done.
    """
    auth = Watchword(profile=AnyProfile)
    async with auth.lifespan(FastAPI(openapi_url=None)):
        return await use(auth.users)


async def every_user(users: Users[AnyProfile]) -> list[User[Any]]:
    """All of them, page by page."""
    found: list[User[Any]] = []
    while page := await users.page(after=found[-1].id if found else None, limit=500):
        found.extend(page)
    return found


async def set_active(users: Users[AnyProfile], email: str, *, active: bool) -> User[Any]:
    """Enable or disable the user with this address.

    Raises:
        NotFound: There is none.
    """
    user = await users.find(email)
    if user is None:
        raise NotFound("no such email", text="There is no user with this email")
    return await (users.enable(user.id) if active else users.disable(user.id))
