"""`watchword users …`."""

import getpass
import json
import re
import sys
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from watchword.cli.started import AnyProfile, every, started, user_with
from watchword.errors import InvalidInput
from watchword.facades import Roles, Users
from watchword.model import Role, User

T = TypeVar("T")

_PAGE: Final = 500
_NOT_IN_A_PASSWORD: Final = re.compile("[\x00\r\n\ud800-\udfff]")  # what the endpoints refuse too, and line ends


async def with_users(use: Callable[[Users[AnyProfile]], Awaitable[T]]) -> T:
    """Start Watchword with the settings in force, and do something with its users.

    Raises:
        ConfigurationError: It cannot start.
        Refusal: What was asked for cannot be done.
    """
    async with started() as auth:
        return await use(auth.users)


async def with_roles(use: Callable[[Roles[AnyProfile]], Awaitable[T]]) -> T:
    """Start Watchword with the settings in force, and do something with its roles.

    Raises:
        ConfigurationError: It cannot start.
        Refusal: What was asked for cannot be done.
    """
    async with started() as auth:
        return await use(auth.roles)


async def every_role(roles: Roles[AnyProfile]) -> list[Role]:
    """All of them."""
    return await every(lambda after: roles.page(after=after, limit=_PAGE), lambda role: role.name)


async def every_member(roles: Roles[AnyProfile], name: str) -> list[User[Any]]:
    """All users who have a role."""
    return await every(lambda after: roles.members(name, after=after, limit=_PAGE), lambda user: user.id)


async def change_role(email: str, name: str, *, given: bool) -> User[Any]:
    """Give a role to the user with this address, or take it.

    Raises:
        NotFound: There is no such user, or no such role.
    """
    async with started() as auth:
        user = await user_with(email, auth.users)
        return await (auth.roles.give(user.id, name) if given else auth.roles.take(user.id, name))


async def every_user(users: Users[AnyProfile]) -> list[User[Any]]:
    """All of them."""
    return await every(lambda after: users.page(after=after, limit=_PAGE), lambda user: user.id)


async def set_active(users: Users[AnyProfile], email: str, *, active: bool) -> User[Any]:
    """Enable or disable the user with this address.

    Raises:
        NotFound: There is none.
    """
    user = await user_with(email, users)
    return await (users.enable(user.id) if active else users.disable(user.id))


async def password_reset_link(users: Users[AnyProfile], email: str) -> str:
    """A link that sets a new password of the user with this address.

    Raises:
        NotFound: There is none, or they are disabled.
    """
    user = await user_with(email, users)
    return await users.password_reset_link(user.id)


async def reset_second_factor(users: Users[AnyProfile], email: str) -> User[Any]:
    """Remove the second factor of the user with this address.

    Raises:
        NotFound: There is none.
    """
    user = await user_with(email, users)
    return await users.reset_second_factor(user.id)


def read_password(*, from_stdin: bool) -> str:
    """A password that was typed twice, or the one line of standard input, exactly as it came.

    Raises:
        InvalidInput: There is nobody to ask, the two differ, or the input is not one line of text.
    """
    password = _piped_password() if from_stdin else _typed_password()
    if _NOT_IN_A_PASSWORD.search(password):
        raise InvalidInput(text="the password must be text, on one line")
    return password


def _piped_password() -> str:
    try:
        return sys.stdin.buffer.read().decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise InvalidInput(text="the password on standard input is not UTF-8") from None


def _typed_password() -> str:
    if not sys.stdin.isatty():
        raise InvalidInput(text="there is no terminal to ask for a password on: use --password-stdin")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != password:
        raise InvalidInput(text="the two passwords differ")
    return password


def read_profile(text: str) -> dict[str, Any]:
    """The fields of a profile.

    Raises:
        InvalidInput: It is no JSON object.
    """
    try:
        profile = json.loads(text)
    except ValueError:
        profile = None
    if not isinstance(profile, dict):
        raise InvalidInput(text="--profile must be a JSON object")
    return profile
