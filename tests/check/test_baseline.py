"""`watchword-routes.toml`: what is kept of an app's routes, and what is said when one opened since."""

import tomllib
from pathlib import Path

import pytest

from tests.check.conftest import Check
from watchword.check import baseline
from watchword.check.baseline import Baseline
from watchword.check.errors import CheckError
from watchword.check.rules import RULES

APP = """\
from fastapi import Depends, FastAPI, Security
from fastapi.security import HTTPBearer

app = FastAPI()
bearer = HTTPBearer()

@app.get("/b", dependencies=[Depends(bearer)])
def b(): ...

@app.api_route("/a", methods=["POST", "GET"])
def a(): ...

@app.delete("/c", dependencies=[Security(bearer, scopes=["write", "read"])])
def c(): ...

@app.get("/a")
def never_reached(token=Depends(bearer)): ...
"""


def test_each_method_of_each_route_is_written_in_order_of_paths(check_text: Check) -> None:
    text = Baseline.of(check_text(APP, RULES[0]).subject).toml()
    assert text.startswith("# Who may use which route")
    assert "--write-baseline" in text
    content = tomllib.loads(text)
    assert content["version"] == 1
    assert list(content["routes"].items()) == [
        ("GET /a", "public"),
        ("POST /a", "public"),
        ("GET /b", "authenticated"),
        ("DELETE /c", "read write"),
    ]


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    written = Baseline({'GET /{name:path}/"odd"\\': "public", "POST /ü": "a:b c"})
    path = tmp_path / "watchword-routes.toml"
    path.write_text(written.toml(), encoding="utf-8")
    assert baseline.read(path) == written


def test_routes_that_are_gone_are_named() -> None:
    assert Baseline({"GET /b": "public", "GET /a": "public"}).gone_from(Baseline({"GET /b": "public"})) == ["GET /a"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("version = 1\n[routes\n", "line 2"),
        ('version = 1\n[routes]\n"GET /" = "public"\n"GET /" = "public"\n', "line 4"),
        ("version = 2\n[routes]\n", "version must be 1"),
        ("[routes]\n", "version must be 1"),
        ("version = 1\nroutes = 3\n", "must be a table"),
        ('version = 1\n[routes]\n"GET /" = true\n', "'GET /' must be"),
    ],
)
def test_a_broken_file_is_refused_with_what_is_wrong_in_it(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "watchword-routes.toml"
    path.write_text(text)
    with pytest.raises(CheckError, match=says) as refused:
        baseline.read(path)
    assert str(path) in str(refused.value)


def test_a_file_that_is_not_there_is_no_empty_one(tmp_path: Path) -> None:
    with pytest.raises(CheckError, match="cannot be read"):
        baseline.read(tmp_path / "none.toml")


def test_a_file_of_bytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "watchword-routes.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(CheckError, match="UTF-8"):
        baseline.read(path)
