"""`watchword serve` at its edges: start-up that cannot be, requests without end, what the log holds."""

import asyncio
import json
import socket
import sys
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.cli.processes import LOG, PASSWORD, PRODUCTION, SECRET, call, run, serving

from watchword.errors import StorageDown
from watchword.serve import create_app


def test_a_port_that_is_taken_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        outcome = run(tmp_path, "serve", "--port", str(port))
    assert outcome.returncode == 1
    assert outcome.stderr.startswith(f"watchword: cannot listen on 127.0.0.1:{port} (")
    assert outcome.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_keys_of_another_secret_are_one_line_before_any_worker_starts(tmp_path: Path) -> None:
    assert run(tmp_path, "users", "list", WATCHWORD_SECRET=SECRET).returncode == 0
    outcome = run(tmp_path, "serve", "--port", "0", "--workers", "2", WATCHWORD_SECRET=SECRET[::-1])
    assert outcome.returncode == 1
    assert outcome.stderr.startswith("watchword: WATCHWORD_SECRET ")
    assert outcome.stderr.count("\n") == 1


def test_a_database_that_is_away_is_one_line_without_its_password(tmp_path: Path) -> None:
    outcome = run(tmp_path, "serve", "--port", "0", WATCHWORD_DATABASE_URL="postgresql://user:hunter2@127.0.0.1:1/name")
    assert outcome.returncode == 1
    assert outcome.stderr.startswith("watchword: the database does not answer")
    assert outcome.stderr.count("\n") == 1
    assert "hunter2" not in outcome.stderr


@pytest.mark.parametrize("proxies", ["10.0.0.1/8", "localhost", "*", "127.0.0.1;::1"])
def test_a_mistyped_proxy_is_refused_rather_than_trusted_by_nobody(tmp_path: Path, proxies: str) -> None:
    outcome = run(tmp_path, "serve", "--port", "0", WATCHWORD_TRUSTED_PROXIES=proxies)
    assert outcome.returncode == 1
    assert outcome.stderr.startswith("watchword: WATCHWORD_TRUSTED_PROXIES must be addresses or networks")


@pytest.mark.parametrize("lacking", ["uvicorn", "httptools"])
def test_without_the_extra_it_says_what_to_install(lacking: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from watchword.cli import main

    monkeypatch.setitem(sys.modules, lacking, None)
    monkeypatch.setattr(sys, "argv", ["watchword", "serve"])
    with pytest.raises(SystemExit, match=r"^watchword: the server is an extra: install watchword\[server\]$"):
        main()


def test_a_request_head_that_does_not_end_is_cut_off(tmp_path: Path) -> None:
    with serving(tmp_path) as base:
        host, port = base.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nX: ")
            with pytest.raises(ConnectionError):
                for _ in range(1000):
                    connection.sendall(b"y" * 65536)
        assert call("GET", f"{base}/health/live")[0] == 200


def test_a_head_in_many_small_pieces_and_a_large_body_pass(tmp_path: Path) -> None:
    with serving(tmp_path) as base:
        host, port = base.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            head = b"POST /auth/users HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\n"
            for position in range(0, len(head), 7):
                connection.sendall(head[position : position + 7])
            connection.sendall(b"y" * 500_000)
            assert connection.recv(100).startswith(b"HTTP/1.1 422 ")
            connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
            assert b"HTTP/1.1 200 OK" in answer
            assert b"server:" not in answer.lower()


def test_the_log_names_requests_and_start_up_but_no_query_string(tmp_path: Path) -> None:
    with serving(tmp_path) as base:
        call("GET", f"{base}/health/live?access_token=hunter2")
    log = (tmp_path / LOG).read_text()
    assert '"GET /health/live HTTP/1.1" 200' in log
    assert "hunter2" not in log
    assert f"Tokens: POST {base}/auth/token" in log
    assert "issuer http://localhost:8000" in log


def test_readiness_follows_the_database_and_liveness_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    app = create_app()
    with TestClient(app) as client:
        assert client.get("/health/ready").status_code == 200

        async def away(self: object) -> None:
            await asyncio.sleep(0)
            raise StorageDown("gone")

        monkeypatch.setattr("watchword.storage.database.Database.ping", away)
        assert client.get("/health/ready").status_code == 503
        assert client.get("/health/live").status_code == 200


def test_the_json_log_is_one_object_a_line_and_tells_of_a_login(tmp_path: Path) -> None:
    with serving(tmp_path, WATCHWORD_LOG_FORMAT="json") as base:
        body = json.dumps({"email": "a@example.com", "password": PASSWORD}).encode()
        assert call("POST", f"{base}/auth/users", body, Content_Type="application/json")[0] == 201
    lines = [line for line in (tmp_path / LOG).read_text().splitlines() if line.startswith("{")]
    events = [json.loads(line) for line in lines]
    (registered,) = [event for event in events if event["event"] == "user_registered"]
    assert registered["logger"] == "watchword.events"
    assert registered["address"] == "127.0.0.1"
    assert any("POST /auth/users" in event["event"] for event in events), "the access log is JSON too"


@pytest.mark.parametrize(
    ("settings", "status"),
    [({}, 200), (PRODUCTION, 404), ({**PRODUCTION, "WATCHWORD_METRICS_IN_PRODUCTION": "true"}, 200)],
    ids=["development", "production", "asked for"],
)
def test_metrics_are_not_exposed_in_production_unless_asked(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], status: int
) -> None:
    for name, value in {**settings, "WATCHWORD_DATABASE_URL": sqlite_url, "WATCHWORD_SECRET": SECRET}.items():
        monkeypatch.setenv(name, value)
    with TestClient(create_app()) as client:
        answer = client.get("/metrics")
        assert answer.status_code == status
        if status == 200:
            assert answer.headers["content-type"].startswith("text/plain; version=")
            assert "watchword_revocation_feed_age_seconds" in answer.text
