"""What the OpenAPI document says, without a browser."""

from typing import Any

import pytest
from fastapi import FastAPI
from tests.conftest import SCOPES, Client, make_app, make_settings

from watchword import CurrentUser, Watchword, requires


def password_flow(app: FastAPI) -> dict[str, Any]:
    scheme = app.openapi()["components"]["securitySchemes"]["Watchword"]
    assert scheme["type"] == "oauth2"
    flow: dict[str, Any] = scheme["flows"]["password"]
    return flow


def auth_of(sqlite_url: str, **changes: Any) -> Watchword[Any]:
    return Watchword(make_settings(sqlite_url, **changes), scopes=SCOPES)


@pytest.mark.parametrize(
    ("changes", "options", "token_url"),
    [
        ({}, {}, "auth/token"),
        ({"prefix": "/accounts/login"}, {}, "accounts/login/token"),
        ({}, {"docs_url": "/x/docs"}, "../auth/token"),
        ({}, {"docs_url": "/x/y/docs"}, "../../auth/token"),
        ({"prefix": "/x/auth"}, {"docs_url": "/x/docs"}, "auth/token"),
        ({}, {"docs_url": None}, "auth/token"),
        ({}, {"servers": [{"url": "/api"}]}, "auth/token"),
        ({}, {"servers": [{"url": "https://api.example.com"}]}, "http://localhost:8000/auth/token"),
    ],
)
def test_the_token_url_is_relative_to_the_docs_page_or_made_from_the_issuer(
    sqlite_url: str, changes: dict[str, Any], options: dict[str, Any], token_url: str
) -> None:
    app = make_app(auth_of(sqlite_url, **changes), **options)
    assert password_flow(app) == {"tokenUrl": token_url, "scopes": SCOPES}
    assert password_flow(app) == password_flow(app)


@pytest.mark.parametrize(
    ("options", "base"),
    [({}, "auth"), ({"docs_url": "/x/docs"}, "../auth"),
     ({"servers": [{"url": "https://api.example.com"}]}, "http://localhost:8000/auth")],
)  # fmt: skip
def test_beside_the_password_there_is_the_way_by_our_pages(sqlite_url: str, options: dict[str, Any], base: str) -> None:
    app = make_app(auth_of(sqlite_url), **options)
    flow = app.openapi()["components"]["securitySchemes"]["Watchword"]["flows"]["authorizationCode"]
    assert (flow["authorizationUrl"], flow["tokenUrl"]) == (f"{base}/authorize", f"{base}/token")
    assert {"openid", "orders:read"} <= flow["scopes"].keys()
    assert app.swagger_ui_init_oauth == {"usePkceWithAuthorizationCodeGrant": True}
    with Client(app) as client:
        docs = client.get(str(app.docs_url)).text
    assert "usePkceWithAuthorizationCodeGrant" in docs


def test_without_pages_there_is_not_and_a_hosts_own_settings_stay(sqlite_url: str) -> None:
    app = make_app(auth_of(sqlite_url, pages=False))
    assert app.openapi()["components"]["securitySchemes"]["Watchword"]["flows"].keys() == {"password"}
    assert app.swagger_ui_init_oauth is None
    theirs = {"clientId": "docs"}
    assert make_app(auth_of(sqlite_url), swagger_ui_init_oauth=theirs).swagger_ui_init_oauth == theirs


@pytest.mark.parametrize("documented_first", [True, False])
def test_a_sub_app_points_back_to_its_parent(auth: Watchword[Any], documented_first: bool) -> None:
    app, sub_app = make_app(auth), FastAPI()

    @sub_app.get("/mine", dependencies=[requires("orders:read")])
    async def mine() -> None: ...

    if documented_first:
        auth.document(sub_app)
    app.mount("/inner/v1", sub_app)
    if not documented_first:
        auth.document(sub_app)
    assert password_flow(sub_app)["tokenUrl"] == "../../auth/token"


def test_a_route_names_the_scopes_it_needs(auth: Watchword[Any]) -> None:
    paths = make_app(auth).openapi()["paths"]
    assert paths["/orders"]["get"]["security"] == [{"Watchword": ["orders:read"]}]
    assert paths["/mine"]["get"]["security"] == [{"Watchword": []}]
    assert "security" not in paths["/public"]["get"]
    assert "security" not in paths["/auth/token"]["post"]


def test_the_form_is_documented_although_we_parse_it(auth: Watchword[Any]) -> None:
    operation = make_app(auth).openapi()["paths"]["/auth/token"]["post"]
    form = operation["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
    assert set(form["properties"]) == {
        "grant_type", "username", "password", "otp", "refresh_token", "scope", "client_id", "client_secret",
        "client_assertion_type", "client_assertion", "code", "redirect_uri", "code_verifier", "resource",
    }  # fmt: skip
    assert form["properties"]["grant_type"]["enum"] == [
        "password",
        "refresh_token",
        "client_credentials",
        "authorization_code",
    ]
    assert operation["responses"]["400"]["content"]["application/json"]["schema"]["$ref"].endswith("OAuthErrorAnswer")


def test_our_routes_do_not_promise_fastapis_422_which_repeats_the_input(auth: Watchword[Any]) -> None:
    app = FastAPI()
    auth.install(app)
    assert "HTTPValidationError" not in app.openapi()["components"]["schemas"]


def test_an_app_without_a_guard_has_no_scheme(sqlite_url: str) -> None:
    app = FastAPI()
    auth_of(sqlite_url).document(app)
    assert "components" not in app.openapi()


def test_the_document_says_nothing_of_the_host_that_asked(client: Client) -> None:
    asked = client.get("/openapi.json", headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})
    assert "evil.example" not in asked.text
    assert client.get("/docs").status_code == 200


def test_a_host_may_still_change_its_document(auth: Watchword[Any]) -> None:
    app = FastAPI()

    @app.get("/mine")
    async def mine(user: CurrentUser) -> None: ...

    auth.install(app)
    ours = app.openapi

    def titled() -> dict[str, Any]:
        return {**ours(), "x-team": "shop"}

    app.openapi = titled  # type: ignore[method-assign]  # as FastAPI's docs do it
    assert app.openapi()["x-team"] == "shop"
    assert password_flow(app)["tokenUrl"] == "auth/token"
