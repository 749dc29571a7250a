"""What programs set themselves up by: it names what is on, where it is, and no more; any site's script may read it."""

from typing import Any

import pytest
from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from tests.conftest import SCOPES, Client, make_app, make_settings

from watchword import Watchword

OPENID = "/.well-known/openid-configuration"
RFC_8414 = "/.well-known/oauth-authorization-server"
RFC_9728 = "/.well-known/oauth-protected-resource"
ISSUER = "http://localhost:8000"
ELSEWHERE = {"Origin": "https://app.elsewhere.example"}


def app_of(sqlite_url: str, **changes: Any) -> FastAPI:
    return make_app(Watchword(make_settings(sqlite_url, **changes), scopes=SCOPES))


def test_openid_connect_and_rfc_8414_say_the_same(client: Client) -> None:
    answer = client.get(OPENID)
    assert answer.status_code == 200
    assert "public" in answer.headers["cache-control"]
    assert client.get(RFC_8414).json() == answer.json()
    document = answer.json()
    assert document["issuer"] == ISSUER
    assert document["jwks_uri"] == f"{ISSUER}/auth/jwks"
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["authorization_response_iss_parameter_supported"] is True
    assert document["request_uri_parameter_supported"] is False
    assert document["id_token_signing_alg_values_supported"] == ["RS256", "ES256"]
    assert {"openid", "email", "profile", *SCOPES} <= set(document["scopes_supported"])
    assert "none" not in document["introspection_endpoint_auth_methods_supported"]
    assert {"sub", "email", "email_verified"} <= set(document["claims_supported"])
    assert "name" not in document["claims_supported"], "this app's users have no such field"


def test_every_endpoint_that_is_named_is_there(client: Client) -> None:
    document = client.get(OPENID).json()
    endpoints = {name: url for name, url in document.items() if name.endswith("_endpoint") or name == "jwks_uri"}
    assert len(endpoints) >= 7
    for name, url in endpoints.items():
        path = url.removeprefix(ISSUER)
        statuses = {client.request(method, path, follow_redirects=False).status_code for method in ("GET", "POST")}
        assert statuses != {404}, name


def test_without_pages_there_is_nothing_that_needs_them(sqlite_url: str) -> None:
    with Client(app_of(sqlite_url, pages=False)) as client:
        document = client.get(RFC_8414).json()
        for name in ("authorization_endpoint", "userinfo_endpoint", "end_session_endpoint",
                     "response_types_supported", "backchannel_logout_supported"):  # fmt: skip
            assert name not in document
        assert "authorization_code" not in document["grant_types_supported"]
        assert "openid" not in document["scopes_supported"]
        assert client.get("/auth/userinfo").status_code == 404
        assert client.get("/auth/end-session").status_code == 404


def test_the_grants_are_those_of_the_token_endpoint(client: Client) -> None:
    for grant in client.get(OPENID).json()["grant_types_supported"]:
        assert client.post("/auth/token", data={"grant_type": grant}).json()["error"] != "unsupported_grant_type"


def test_a_resource_names_its_authorization_server(client: Client) -> None:
    assert client.get(RFC_9728).json() == {
        "resource": ISSUER,
        "authorization_servers": [ISSUER],
        "bearer_methods_supported": ["header"],
        "scopes_supported": sorted(SCOPES),
    }


def test_an_audience_that_is_no_address_has_no_document(sqlite_url: str) -> None:
    with Client(app_of(sqlite_url, audience="orders")) as client:
        assert client.get(RFC_9728).status_code == 404


def test_an_issuer_with_a_path_has_its_documents_where_each_standard_wants_them(
    sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    issuer = "https://example.com/shop"
    with Client(app_of(sqlite_url, issuer=issuer)) as client:
        # The proxy takes /shop off, and passes on what is below /.well-known as it is.
        assert client.get(OPENID).json()["issuer"] == issuer
        assert client.get(f"{RFC_8414}/shop").json()["token_endpoint"] == f"{issuer}/auth/token"
        assert client.get(f"{RFC_9728}/shop").json()["resource"] == issuer
        assert client.get(RFC_8414).status_code == 404
    assert "the proxy has to pass /shop/…" in caplog.text


def test_a_parent_has_the_documents_at_its_root(sqlite_url: str) -> None:
    auth: Watchword[Any] = Watchword(make_settings(sqlite_url, issuer="https://example.com/shop"), scopes=SCOPES)
    app = make_app(auth)
    parent = FastAPI(lifespan=auth.lifespan)
    parent.include_router(auth.well_known_router)
    parent.mount("/shop", app)
    with Client(parent) as client:
        for path in (f"{RFC_8414}/shop", f"/shop{OPENID}"):
            assert client.get(path).json()["issuer"] == "https://example.com/shop"
        assert client.get(f"{RFC_9728}/shop").status_code == 200
        assert client.get(OPENID).status_code == 404, "that would be another issuer's"


def test_the_documents_answer_over_plain_http_in_production_and_say_nothing_of_the_host(sqlite_url: str) -> None:
    auth: Watchword[Any] = Watchword(
        make_settings(sqlite_url, environment="production", issuer="https://example.com"), scopes=SCOPES
    )
    with Client(make_app(auth, openapi_url=None)) as client:
        spoofed = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
        for path in (OPENID, RFC_8414, RFC_9728):
            answer = client.get(path, headers=spoofed)
            assert answer.status_code == 200
            assert "evil" not in answer.text


def test_a_hosts_own_catch_all_leaves_them_alone(sqlite_url: str) -> None:
    app = FastAPI()

    @app.get("/{path:path}")
    async def page(path: str) -> str:
        return path

    Watchword(make_settings(sqlite_url)).install(app)
    with Client(app) as client:
        assert client.get(OPENID).json()["issuer"] == ISSUER


@pytest.mark.parametrize(
    "path", [OPENID, RFC_8414, RFC_9728, "/auth/jwks", "/auth/token", "/auth/revoke", "/auth/userinfo"]
)
def test_scripts_of_any_site_may_ask_and_read_refusals_too(client: Client, path: str) -> None:
    asked = client.options(path, headers={**ELSEWHERE, "Access-Control-Request-Method": "POST",
                                          "Access-Control-Request-Headers": "authorization"})  # fmt: skip
    assert asked.status_code == 204
    assert asked.headers["access-control-allow-origin"] == "*"
    assert "Authorization" in asked.headers["access-control-allow-headers"]
    method = "POST" if path in {"/auth/token", "/auth/revoke"} else "GET"
    answer = client.request(method, path, headers=ELSEWHERE)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    "path", ["/auth/me", "/auth/users", "/auth/introspect", "/auth/authorize", "/auth/end-session"]
)
def test_nothing_else_is_open_to_them(client: Client, path: str) -> None:
    for method in ("OPTIONS", "GET", "POST"):
        answer = client.request(method, path, headers={**ELSEWHERE, "Access-Control-Request-Method": "POST"})
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("allowed", [["https://app.elsewhere.example"], ["https://other.example"], ["*"]])
def test_a_hosts_own_middleware_doubles_no_header(sqlite_url: str, allowed: list[str]) -> None:
    app = app_of(sqlite_url)
    app.add_middleware(CORSMiddleware, allow_origins=allowed, allow_credentials=True)
    with Client(app) as client:
        for answer in (client.get(OPENID, headers=ELSEWHERE), client.get("/auth/userinfo", headers=ELSEWHERE)):
            (value,) = answer.headers.get_list("access-control-allow-origin")
            assert value in {"*", ELSEWHERE["Origin"]}
