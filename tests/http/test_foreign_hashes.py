"""Users who come with a hash from elsewhere log in with their old password; a weaker hash is replaced on the way."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.conftest import EMAIL, PASSWORD, Client, make_app, make_settings

from watchword import InvalidInput, Watchword

# Made once by these libraries' defaults, for the password of the tests.
PASSLIB_BCRYPT = "$2b$12$TmN8LC3CgVuxHoO6IHCd3OPA6qruhDCYMXP8ZqVe.8ejQ3lxSpuMy"
PASSLIB_ARGON2 = "$argon2id$v=19$m=65536,t=3,p=4$XauVUmotpXROSWntXYsRAg$qQ0XGsFtYmt5ZFgGxf688+HkyBUyWr2X/cr8/GJdV8g"
DJANGO_ARGON2 = (
    "argon2$argon2id$v=19$m=102400,t=2,p=8$TU1KMzBweWRtb2xkdGJPYUJFMndKZw$uOeMboBedoSDIJg1ztMI2D31ep5wV+Dncan5KT8fES4"
)
FASTAPI_USERS_ARGON2 = (
    "$argon2id$v=19$m=65536,t=3,p=4$FtOduOyBv5HgWbi9dWSlFg$9jW7Dhf54S+MWgU0EN0GHwTgkUKe9KeDEfr2qkw69IA"
)
DEARER = "m=131072,t=2,p=1"


async def stored_hash(auth: Watchword[Any]) -> str:
    async with auth.open_session.storage.reading() as stores:
        account = await stores.users.find(EMAIL)
    assert account is not None
    assert account.password_hash is not None
    return account.password_hash


@pytest.mark.parametrize(
    ("foreign", "cost", "replaced"),
    [
        (PASSLIB_BCRYPT, "owasp", True),
        (PASSLIB_ARGON2, "owasp", False),
        (DJANGO_ARGON2, DEARER, True),
        (FASTAPI_USERS_ARGON2, "owasp", False),
        (DJANGO_ARGON2, "owasp", False),
    ],
    ids=["passlib-bcrypt", "passlib-argon2-kept", "django", "fastapi-users-kept", "django-kept"],
)
def test_a_hash_from_elsewhere_logs_in_and_is_replaced_if_it_is_weaker(
    sqlite_url: str, foreign: str, cost: str, replaced: bool
) -> None:
    auth: Watchword[Any] = Watchword(make_settings(sqlite_url, password_cost=cost))
    with Client(make_app(auth)) as client:
        assert client.portal is not None
        call: Callable[..., Any] = client.portal.call
        call(lambda: auth.users.create(EMAIL, password_hash=foreign))
        assert client.ask_token(password="a wrong password").status_code == 400
        before = call(stored_hash, auth)
        assert client.ask_token().status_code == 200
        after = call(stored_hash, auth)
        assert foreign.endswith(before)
        assert (after != before) is replaced
        if replaced:
            assert after.startswith("$argon2id$v=19$m=19456" if cost == "owasp" else f"$argon2id$v=19${DEARER}")
        assert client.ask_token().status_code == 200
        assert call(stored_hash, auth) == after


@pytest.mark.parametrize(
    "hashed", ["", PASSWORD, "$1$md5$crypt", "$2b$31$" + "a" * 53, "$argon2id$v=19$m=9999999,t=9,p=1$a$b"]
)
def test_a_hash_that_could_never_be_verified_is_refused_at_once(
    client: Client, auth: Watchword[Any], hashed: str
) -> None:
    assert client.portal is not None
    with pytest.raises(InvalidInput):
        client.portal.call(lambda: auth.users.create(EMAIL, password_hash=hashed))
