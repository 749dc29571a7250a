"""Small host projects, with a pytest of their own. Not in conftest.py: there the plugin would take them for ours."""

import os
import time
from pathlib import Path

import pytest
from tests import forks

APP = """
from fastapi import FastAPI, WebSocket
from pydantic import BaseModel
from typing import Annotated
from fastapi import Security
from watchword import CurrentUser, User, Watchword, current_user, requires

class Profile(BaseModel):
    team: str = ""

app = FastAPI()
auth = Watchword(scopes={"orders:read": "Read orders"}, profile=Profile)
auth.install(app)

@app.get("/mine")
async def mine(user: Annotated[User[Profile], Security(current_user)]):
    return {"id": user.id, "email": user.email, "team": user.profile.team}

@app.get("/orders", dependencies=[requires("orders:read")])
async def orders():
    return []

@app.websocket("/live")
async def live(socket: WebSocket, user: CurrentUser):
    await socket.accept()
    await socket.send_text(user.email)
    await socket.close()
"""

CONFTEST = """
import pytest
from shop import app

@pytest.fixture
def watchword_app():
    return app
"""


def run(project: pytest.Pytester, *arguments: str | Path) -> pytest.RunResult:
    """Run its tests in a process that has imported Watchword before."""
    basetemp = str(project.path.parent / "basetemp")
    options = ("-W", "error", *forks.PYTEST_OPTIONS, "-p", "no:cacheprovider", "--basetemp", basetemp)
    started = time.monotonic()
    ran = forks.run("pytest", *options, *map(str, arguments), cwd=project.path, env=os.environ)
    output, errors = ran.stdout.splitlines(), ran.stderr.splitlines()
    return pytest.RunResult(ran.returncode, output, errors, time.monotonic() - started)
