"""Accounts and logins, beyond the main road: profiles, what is refused, and what is the same for everybody."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field
from tests.conftest import EMAIL, PASSWORD, SCOPES, Client, make_app, make_settings, on_both

from watchword import Watchword
from watchword.errors import ProfileMismatch


class ShopProfile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field("", max_length=20)
    newsletter: bool = False


@pytest.fixture
def auth(database: str) -> Watchword[Any]:
    return Watchword(make_settings(database), scopes=SCOPES, profile=ShopProfile)


@on_both
def test_a_profile_is_the_hosts_model(client: Client) -> None:
    user = client.sign_up(profile={"name": "Alice"})
    assert user["profile"] == {"name": "Alice", "newsletter": False}
    headers = client.log_in()
    for changes, profile in (
        ({"newsletter": True}, {"name": "Alice", "newsletter": True}),
        ({"name": None}, {"name": "", "newsletter": True}),
        ({}, {"name": "", "newsletter": True}),
    ):
        assert client.patch("/auth/me", json={"profile": changes}, headers=headers).json()["profile"] == profile
    assert client.get("/auth/me", headers=headers).json()["profile"] == {"name": "", "newsletter": True}


@pytest.mark.parametrize(
    "profile", [{"name": "x" * 21}, {"newsletter": "perhaps"}, {"is_admin": True}, {"name": ["x"]}, [], "x", None]
)
def test_a_profile_that_does_not_fit_changes_nothing_and_is_not_repeated(client: Client, profile: Any) -> None:
    client.sign_up(profile={"name": "Alice"})
    headers = client.log_in()
    answer = client.patch("/auth/me", json={"profile": profile}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
    assert "perhaps" not in answer.text
    assert "is_admin" not in answer.text
    assert client.get("/auth/me", headers=headers).json()["profile"]["name"] == "Alice"
    other = client.post("/auth/users", json={"email": "b@example.com", "password": PASSWORD, "profile": profile})
    assert other.status_code == 422


@pytest.mark.parametrize("field", ["id", "is_active", "email_verified_at", "token_epoch", "password_hash", "roles"])
def test_nobody_sets_what_is_not_theirs(client: Client, field: str) -> None:
    client.sign_up()
    headers = client.log_in()
    before = client.get("/auth/me", headers=headers).json()
    assert client.patch("/auth/me", json={"profile": {}, field: "x"}, headers=headers).status_code == 422
    assert client.patch("/auth/me", json={"profile": {field: "x"}}, headers=headers).status_code == 422
    answer = client.post("/auth/users", json={"email": "b@example.com", "password": PASSWORD, field: "x"})
    assert answer.status_code == 422
    assert client.get("/auth/me", headers=headers).json() == before


@on_both
def test_no_answer_shows_a_hash(client: Client) -> None:
    text = str(client.sign_up()) + client.get("/auth/me", headers=client.log_in()).text
    assert "argon2" not in text
    assert "password" not in text


@pytest.mark.parametrize("password", ["short", "passwordpassword", "x" * 1025, EMAIL, "a" * 20])
def test_a_weak_password_is_refused_and_not_repeated(client: Client, password: str) -> None:
    answer = client.post("/auth/users", json={"email": EMAIL, "password": password})
    assert (answer.status_code, answer.json()["code"]) == (422, "weak_password")
    assert password not in answer.text
    client.sign_up()
    change = {"current_password": PASSWORD, "new_password": password}
    assert client.post("/auth/password/change", json=change, headers=client.log_in()).status_code == 422
    assert client.ask_token().status_code == 200


@on_both
def test_changing_a_password_needs_the_current_one(client: Client) -> None:
    client.sign_up()
    headers = client.log_in()
    change = {"current_password": "not the current one", "new_password": "another long password"}
    answer = client.post("/auth/password/change", json=change, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "wrong_password")
    assert client.get("/mine", headers=headers).status_code == 200
    assert client.post("/auth/password/change", json=change).status_code == 401


@on_both
def test_deleting_an_account_ends_its_tokens_and_frees_its_address(client: Client) -> None:
    client.sign_up()
    headers = client.log_in()
    assert client.delete("/auth/me", headers=headers).status_code == 204
    assert client.get("/mine", headers=headers).status_code == 401
    assert client.ask_token().status_code == 400
    client.sign_up()


@on_both
def test_unknown_wrong_and_disabled_are_one_answer_byte_for_byte(client: Client, auth: Watchword[Any]) -> None:
    client.sign_up()
    client.sign_up("disabled@example.com")
    assert client.portal is not None

    async def prepare() -> None:
        disabled = await auth.users.find("disabled@example.com")
        assert disabled is not None
        await auth.users.disable(disabled.id)
        await auth.users.create("no-password@example.com")

    client.portal.call(prepare)
    answers = [
        client.ask_token("nobody@example.com"),
        client.ask_token("not an address"),
        client.ask_token(password="a wrong password"),
        client.ask_token("disabled@example.com"),
        client.ask_token("no-password@example.com"),
    ]
    expected = (
        b'{"error":"invalid_grant","error_description":"Incorrect email or password",'
        b'"detail":"Incorrect email or password"}'
    )
    assert {(answer.status_code, answer.content, str(answer.headers)) for answer in answers} == {
        (400, expected, str(answers[0].headers))
    }


@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        (None, "orders:read orders:write"),
        ("", "orders:read orders:write"),
        ("orders:read", "orders:read"),
        ("orders:write orders:read", "orders:read orders:write"),
        ("orders:read admin", "orders:read"),
        ("orders:read openid offline_access", "orders:read"),
    ],
)
def test_what_is_asked_for_and_allowed_is_granted(client: Client, asked: str | None, granted: str) -> None:
    client.sign_up()
    answer = client.ask_token(**({} if asked is None else {"scope": asked}))
    assert answer.json()["scope"] == granted
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    assert client.get("/who", headers=headers).json()["scopes"] == granted.split()


@pytest.mark.parametrize("asked", ["orders:delete", "orders:read unknown", "admin", "2fa openid", 'a"b', "x" * 5000])
def test_what_is_unknown_or_not_for_users_is_invalid_scope(client: Client, asked: str) -> None:
    client.sign_up()
    answer = client.ask_token(scope=asked)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")


def test_an_app_that_declares_no_scopes_grants_none(sqlite_url: str) -> None:
    with Client(make_app(Watchword(make_settings(sqlite_url)))) as client:
        client.sign_up()
        assert client.ask_token().json()["scope"] == ""
        assert client.get("/mine", headers=client.log_in()).status_code == 200


def test_sign_up_can_be_taken_away(sqlite_url: str) -> None:
    auth: Watchword[Any] = Watchword(make_settings(sqlite_url, sign_up=False))
    with Client(make_app(auth)) as client:
        assert client.post("/auth/users", json={"email": EMAIL, "password": PASSWORD}).status_code == 404
        assert client.portal is not None
        client.portal.call(lambda: auth.users.create(EMAIL, PASSWORD))
        assert client.ask_token().status_code == 200


def test_beyond_the_hashing_queue_the_answer_is_503_and_says_when_to_come_back(sqlite_url: str) -> None:
    settings = make_settings(sqlite_url, hashing_threads=1, hashing_queue=0, password_cost="m=65536,t=3,p=1")
    with Client(make_app(Watchword(settings))) as client:
        client.sign_up()
        with ThreadPoolExecutor(8) as requests:
            answers = [future.result() for future in [requests.submit(client.ask_token) for _ in range(16)]]
        refused = [answer for answer in answers if answer.status_code == 503]
        assert {answer.status_code for answer in answers} == {200, 503}
        assert {answer.json()["error"] for answer in refused} == {"temporarily_unavailable"}
        assert {answer.headers["retry-after"] for answer in refused} == {"1"}


def test_production_takes_credentials_over_https_alone(sqlite_url: str) -> None:
    settings = make_settings(
        sqlite_url, environment="production", issuer="https://login.example.com", docs_in_production=True
    )
    app = make_app(Watchword(settings))
    with Client(app, base_url="http://127.0.0.1") as plain:
        assert plain.ask_token().json()["detail"] == "Credentials are only accepted over https"
        answer = plain.post("/auth/users", json={"email": EMAIL, "password": PASSWORD})
        assert (answer.status_code, answer.json()["code"]) == (400, "https_required")
        assert plain.get("/auth/jwks").status_code == 200
    with Client(app, base_url="https://login.example.com") as secure:
        secure.sign_up()
        assert secure.get("/mine", headers=secure.log_in()).status_code == 200


def test_the_key_set_may_be_cached_and_everything_else_not(client: Client) -> None:
    answer = client.get("/auth/jwks")
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert answer.headers["content-type"] == "application/jwk-set+json"
    client.sign_up()
    assert client.get("/auth/me", headers=client.log_in()).headers["cache-control"] == "no-store"
    assert client.get("/auth/me").headers["cache-control"] == "no-store"


def test_a_profile_that_a_new_field_does_not_fit_is_told_to_the_developer(sqlite_url: str) -> None:
    class Grown(ShopProfile):
        birthday: str

    with Client(make_app(Watchword(make_settings(sqlite_url)))) as client:
        client.sign_up()
        headers = client.log_in()
    with (
        Client(make_app(Watchword(make_settings(sqlite_url), profile=Grown))) as client,
        pytest.raises(ProfileMismatch, match=r"does not fit Grown \(birthday\): give every field"),
    ):
        client.get("/mine", headers=headers)


@on_both
def test_nobody_has_an_account_before_it_is_made(client: Client, auth: Watchword[Any]) -> None:
    """ASVS 6.3.2. Nor is there a client that could authenticate."""

    async def everybody() -> tuple[list[Any], list[Any]]:
        return list(await auth.users.page()), list(await auth.clients.page())

    assert client.portal is not None
    users, clients = client.portal.call(everybody)
    assert users == []
    assert all(each.is_public for each in clients)
