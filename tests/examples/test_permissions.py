"""`docs/permissions.md`, walked through: its files, its commands, and what it says of them."""

import json
import os
import re
import shlex
import subprocess
import time
from pathlib import Path

from tests import forks
from tests.conftest import PASSWORD
from tests.examples.conftest import BIN, EXAMPLES, Serve

PAGE = (EXAMPLES.parent / "docs" / "permissions.md").read_text("utf-8")
PYTHON = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
COMMANDS = [line.removeprefix("$ ") for line in PAGE.splitlines() if line.startswith("$ watchword ")]
ALICE = "alice@example.com"


def operator(folder: Path, command: str, stdin: str = "") -> str:
    outcome = forks.run(*shlex.split(command), cwd=folder, env={"PATH": os.environ["PATH"]}, stdin=stdin)
    assert outcome.returncode == 0, outcome.stderr
    return outcome.stdout


def test_every_python_on_the_page_is_a_file_of_the_example() -> None:
    files = {path.read_text() for path in (EXAMPLES / "permissions").glob("*.py")}
    assert PYTHON
    assert set(PYTHON) <= files


def test_the_page_is_true(serve: Serve, empty_folder: Path) -> None:
    client = serve("uvicorn", "--app-dir", EXAMPLES / "permissions", "shop:app", cwd=empty_folder)
    made = client.post("/auth/users", json={"email": ALICE, "password": PASSWORD})
    assert made.status_code == 201

    def log_in(email: str = ALICE, **fields: str) -> tuple[dict[str, str], list[str]]:
        form = {"grant_type": "password", "username": email, "password": PASSWORD, **fields}
        answer = client.post("/auth/token", data=form).json()
        return {"Authorization": f"Bearer {answer['access_token']}"}, answer["scope"].split()

    first, scopes = log_in()
    assert scopes == ["orders:read", "orders:write", "reports:read"]
    assert log_in(scope="orders:read")[1] == ["orders:read"]
    assert client.post("/orders", headers=first).status_code == 200

    for command in COMMANDS:
        if command.startswith("watchword roles"):
            operator(empty_folder, command)
    deadline = time.monotonic() + 1 + 2  # the staleness bound, and a slow machine
    while client.post("/orders", headers=first).status_code != 403:
        assert time.monotonic() < deadline
    assert client.get("/orders", headers=first).status_code == 200
    assert log_in()[1] == ["orders:read", "reports:read"]

    [register, make_key] = [
        command for command in COMMANDS if command.startswith(("watchword clients", "watchword api-keys"))
    ]
    client_id = json.loads(operator(empty_folder, f"{register} --json"))["client_id"]
    key = operator(empty_folder, make_key.replace("$CLIENT_ID", client_id)).strip()
    report = subprocess.run(
        [BIN / "python", EXAMPLES / "permissions" / "report.py"],
        env={"SHOP": str(client.base_url).rstrip("/"), "SHOP_KEY": key}, capture_output=True, text=True, check=False,
        timeout=60,
    )  # fmt: skip
    assert report.stdout == "1 orders\n", report.stderr
    assert client.post("/orders", headers={"Authorization": f"Bearer {key}"}).status_code == 403

    [first_admin] = [command for command in COMMANDS if "--role admin" in command]
    operator(empty_folder, f"{first_admin} --password-stdin", PASSWORD)
    assert "admin" not in log_in("boss@example.com")[1]
    assert log_in("boss@example.com", scope="admin")[1] == ["admin"]
