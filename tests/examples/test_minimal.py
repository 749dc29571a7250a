"""`examples/minimal.py`, which is also the opening snippet of the README."""

import re
from pathlib import Path

import pytest
from tests.conftest import EMAIL, PASSWORD
from tests.examples.conftest import EXAMPLES, Serve

MINIMAL = EXAMPLES / "minimal.py"
README = EXAMPLES.parent / "README.md"


def test_it_has_at_most_twelve_lines() -> None:
    assert len(MINIMAL.read_text().splitlines()) <= 12


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["uvicorn", "--app-dir", EXAMPLES, "minimal:app"], id="uvicorn"),
        pytest.param(["fastapi", "dev", MINIMAL], id="fastapi-dev"),
        pytest.param(["fastapi", "run", MINIMAL], id="fastapi-run"),
    ],
)
def test_sign_up_login_and_orders_work_from_an_empty_folder(
    command: list[str | Path], serve: Serve, empty_folder: Path
) -> None:
    client = serve(*command, cwd=empty_folder)
    assert client.get("/orders").status_code == 401
    signed_up = client.post("/auth/users", json={"email": EMAIL, "password": PASSWORD})
    assert signed_up.status_code == 201
    form = {"grant_type": "password", "username": EMAIL, "password": PASSWORD}
    token = client.post("/auth/token", data=form).json()["access_token"]
    answer = client.get("/orders", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    assert answer.json() == {"orders_of": EMAIL}
    made = {path.name for path in empty_folder.iterdir() if path.suffix not in {".db-shm", ".db-wal"}}
    assert made == {"watchword.db", "watchword.secret"}


def test_the_readme_opens_with_this_file() -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.DOTALL | re.MULTILINE)
    shown = [block for block in blocks if "Watchword().install(app)" in block]
    assert shown, "the README shows examples/minimal.py"
    assert shown[0] == MINIMAL.read_text()
