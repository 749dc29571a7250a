"""`watchword clients`: what an operator registers, a service uses; a secret is printed once and then nowhere."""

import io
import json
import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from string import Template
from typing import Any

import pytest
from tests.cli.processes import SECRET, run
from tests.conftest import CHEAP_HASH, Client, make_app, make_settings
from tests.http.clients import Signer, assertion, basic

from watchword import Watchword
from watchword.cli import main

GRANT = {"grant_type": "client_credentials"}
Command = Callable[..., str]


@pytest.fixture
def command(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Command:
    """Runs `watchword clients …` in this process, and returns what it printed; for a failure, its one line."""
    monkeypatch.setenv("WATCHWORD_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("WATCHWORD_SECRET", SECRET)
    monkeypatch.setenv("WATCHWORD_PASSWORD_COST", CHEAP_HASH)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)

    def run_command(*arguments: str, fails: bool = False) -> str:
        monkeypatch.setattr(sys, "argv", ["watchword", "clients", *arguments])
        with pytest.raises(SystemExit) as exited:
            main()
        printed: str = capsys.readouterr().out
        assert (exited.value.code not in {0, None}) is fails, exited.value.code
        return str(exited.value.code) if fails else printed

    return run_command


@pytest.fixture
def http(sqlite_url: str) -> Callable[[], Client]:
    """The app, started."""
    return lambda: Client(make_app(Watchword(make_settings(sqlite_url), scopes={"orders:read": "Read orders"})))


def status(http: Callable[[], Client], **request: Any) -> int:
    with http() as client:
        code: int = client.post("/auth/token", **{"data": GRANT, **request}).status_code
        return code


def test_a_service_uses_what_was_registered_and_a_secret_is_rotated(
    command: Command, http: Callable[[], Client]
) -> None:
    create = ("create", "Reports", "--grant", "client_credentials", "--scope", "orders:read", "--scope", "orders:write")
    made = json.loads(command(*create, "--access-token-lifetime", "1h", "--json"))
    client_id, old = made["client_id"], made["client_secret"]
    assert made["client_name"] == "Reports"
    assert (made["scope"], made["access_token_lifetime"]) == ("orders:read orders:write", "1h")
    assert made["token_endpoint_auth_method"] == "client_secret_basic"
    assert status(http, headers=basic(client_id, old)) == 200

    added = json.loads(command("secrets", "add", client_id, "--lifetime", "90d", "--json"))
    assert added["expires_at"] is not None
    assert "two secrets already" in command("secrets", "add", client_id, fails=True)
    shown = json.loads(command("show", client_id, "--json"))
    assert [secret["id"] for secret in shown["secrets"]] == [made["client_secret_id"], added["id"]]
    for secret in (old, added["client_secret"]):
        assert status(http, headers=basic(client_id, secret)) == 200

    assert command("secrets", "remove", client_id, made["client_secret_id"]) == "Removed.\n"
    assert status(http, headers=basic(client_id, old)) == 401
    assert status(http, headers=basic(client_id, added["client_secret"])) == 200

    assert command("disable", client_id) == "Disabled Reports.\n"
    assert status(http, headers=basic(client_id, added["client_secret"])) == 401
    assert json.loads(command("enable", client_id, "--json"))["is_active"] is True
    assert status(http, headers=basic(client_id, added["client_secret"])) == 200

    for printed in (command("show", client_id), command("list"), command("list", "--json")):
        assert client_id in printed
        assert "wws_" not in printed
    assert json.loads(command("delete", client_id, "--yes", "--json")) == {"client_id": client_id, "deleted": True}
    assert json.loads(command("list", "--json")) == []


def test_a_secret_is_printed_for_people_too_and_said_to_be_shown_once(command: Command) -> None:
    printed = command("create", "[bold]Re/ports[/]", "--grant", "client_credentials")
    assert "client_secret: wws_" in printed
    assert "this once" in printed
    client_id = printed.partition("client_id: ")[2].partition("\n")[0]
    assert "[bold]Re/ports[/]" in command("show", client_id)
    assert "1 client" in command("list")
    again = command("secrets", "add", client_id)
    assert "client_secret: wws_" in again


def test_keys_come_from_a_file(command: Command, http: Callable[[], Client], tmp_path: Path) -> None:
    signer = Signer()
    (tmp_path / "jwks.json").write_text(json.dumps({"keys": [signer.public_jwk]}))
    made = json.loads(command("create", "x", "--grant", "client_credentials", "--jwks", "jwks.json", "--json"))
    assert made["token_endpoint_auth_method"] == "private_key_jwt"
    assert "client_secret" not in made
    assert "a-key" in command("show", made["client_id"])
    assert status(http, **assertion(signer.sign(made["client_id"]), **GRANT)) == 200


def test_a_public_client_has_addresses_and_no_secret(command: Command) -> None:
    made = json.loads(
        command("create", "Phone", "--grant", "authorization_code", "--grant", "refresh_token", "--public",
                "--redirect-uri", "com.example.phone:/back", "--refresh-idle-lifetime", "7d", "--json")
    )  # fmt: skip
    assert made["token_endpoint_auth_method"] == "none"
    assert made["redirect_uris"] == ["com.example.phone:/back"]
    assert made["refresh_idle_lifetime"] == "7d"
    assert "client_secret" not in made


def test_what_openid_connect_needs_is_registered_and_shown(command: Command) -> None:
    made = json.loads(
        command(
            "create", "Shop", "--grant", "authorization_code", "--redirect-uri", "https://shop.example/cb",
            "--scope", "openid", "--first-party", "--id-token-alg", "ES256",
            "--post-logout-redirect-uri", "https://shop.example/bye",
            "--backchannel-logout-uri", "https://shop.example/logout",
            "--resource", "https://api.example/a", "--resource", "https://api.example/b", "--json",
        )
    )  # fmt: skip
    assert made["is_first_party"] is True
    assert made["id_token_signed_response_alg"] == "ES256"
    assert made["post_logout_redirect_uris"] == ["https://shop.example/bye"]
    assert made["backchannel_logout_uri"] == "https://shop.example/logout"
    assert made["resources"] == ["https://api.example/a", "https://api.example/b"]
    shown = command("show", made["client_id"])
    assert "https://shop.example/logout" in shown
    assert "yes" in shown
    refused = ("create", "X", "--grant", "client_credentials", "--id-token-alg", "HS256")
    assert "RS256 or ES256" in command(*refused, fails=True)


def test_what_cannot_be_is_one_line_that_says_why(command: Command, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no JSON")
    (tmp_path / "private.json").write_text(json.dumps({**Signer().public_jwk, "d": "x"}))
    create = ("create", "x", "--grant")
    nobody = "00000000-0000-7000-8000-000000000000"
    for arguments, told in (
        ((*create, "password"), "the password grant is the app's own"),
        ((*create, "client_credentials", "--public"), "can keep a secret"),
        ((*create, "refresh_token", "--public", "--auth-method", "private_key_jwt"), "--public means"),
        ((*create, "authorization_code", "--redirect-uri", "http://a.example/"), "must begin with https://"),
        ((*create, "client_credentials", "--access-token-lifetime", "2d"), "must be 1s to 1d"),
        ((*create, "client_credentials", "--access-token-lifetime", "soon"), "lifetime is not a duration"),
        ((*create, "client_credentials", "--jwks", "text"), "not a JWK Set"),
        ((*create, "client_credentials", "--jwks", "nowhere"), "No such file"),
        ((*create, "client_credentials", "--jwks", "private.json"), "only the public part"),
        ((*create, "client_credentials", "--auth-method", "private_key_jwt"), "a JWK Set must be"),
        (("show", nobody), "There is no client with this id"),
        (("disable", nobody), "There is no client with this id"),
        (("delete", nobody, "--yes"), "There is no client with this id"),
        (("secrets", "add", nobody), "There is no client with this id"),
        (("secrets", "remove", nobody, nobody), "The client has no such secret"),
        (("secrets", "remove", nobody, "x"), "The client has no such secret"),
    ):
        line = command(*arguments, fails=True)
        assert told in line, line
        assert line.startswith("watchword: ")
        assert "\n" not in line


def test_deleting_asks_first(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    client_id = json.loads(command("create", "x", "--grant", "client_credentials", "--json"))["client_id"]
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    assert command("delete", client_id, fails=True) == "1"
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert command("delete", client_id).strip() == f"Deleted {client_id}."
    assert json.loads(command("list", "--json")) == []


def test_it_is_a_command_of_its_own_process_too(tmp_path: Path) -> None:
    made = run(tmp_path, "clients", "create", "x", "--grant", "client_credentials", "--json")
    assert json.loads(made.stdout)["client_secret"].startswith("wws_")
    assert "wws_" not in made.stderr


def test_the_commands_that_the_page_on_clients_shows_do_what_it_says(command: Command, tmp_path: Path) -> None:
    (tmp_path / "jwks.json").write_text(json.dumps(Signer().public_jwk))
    page = (Path(__file__).parents[2] / "docs" / "clients.md").read_text()
    names: dict[str, str] = {}
    shown = re.findall(r"^watchword clients (.*)$", page, re.MULTILINE)
    assert len(shown) == 5
    for line in shown:
        printed = command(*shlex.split(Template(line).substitute(names), comments=True))
        if "client_id: " in printed and "CLIENT_ID" not in names:
            names["CLIENT_ID"] = printed.partition("client_id: ")[2].partition("\n")[0]
            (secret,) = json.loads(command("show", names["CLIENT_ID"], "--json"))["secrets"]
            names["SECRET_ID"] = secret["id"]
    assert len(json.loads(command("show", names["CLIENT_ID"], "--json"))["secrets"]) == 1


@pytest.mark.parametrize("page", ["openid.md", "swagger.md"])
def test_the_client_that_a_page_registers_can_be_one(command: Command, page: str) -> None:
    text = (Path(__file__).parents[2] / "docs" / page).read_text().replace("\\\n", "")
    (line,) = re.findall(r"^\$ watchword clients (create .*)$", text, re.MULTILINE)
    assert "client_id: " in command(*shlex.split(line))
