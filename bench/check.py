"""How long `watchword check` takes beyond the import of the app it looks at."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any, Final

_SECURITY: Final = """\
from datetime import UTC, datetime, timedelta
from typing import Annotated

import jwt
from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm, SecurityScopes
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    secret_key: str = ""
    algorithm: str = "HS256"
    lifetime: timedelta = timedelta(minutes=15)


settings = Settings()
bearer = OAuth2PasswordBearer(tokenUrl="token", scopes={"read": "Read", "write": "Write"})
router = APIRouter()


def decode(token: str) -> dict[str, object]:
    try:
        return jwt.decode(token, settings.secret_key, algorithms=[settings.algorithm], options={"require": ["exp"]})
    except jwt.InvalidTokenError:
        raise HTTPException(401, "invalid token", {"WWW-Authenticate": "Bearer"}) from None


async def current_user(token: Annotated[str, Depends(bearer)], wanted: SecurityScopes, request: Request) -> str:
    claims = decode(token)
    if not set(wanted.scopes) <= set(str(claims.get("scope", "")).split()):
        raise HTTPException(403, "not allowed")
    return str(claims["sub"])


@router.post("/token")
def token(form: Annotated[OAuth2PasswordRequestForm, Depends()]) -> dict[str, str]:
    claims = {"sub": form.username, "exp": datetime.now(UTC) + settings.lifetime}
    return {"access_token": jwt.encode(claims, settings.secret_key, settings.algorithm), "token_type": "bearer"}
"""
_ROUTER: Final = """\
from typing import Annotated

from fastapi import APIRouter, HTTPException, Security
from pydantic import BaseModel

from ..security import current_user
from ..services import {name} as services

router = APIRouter(prefix="/{name}", tags=["{name}"])
User = Annotated[str, Security(current_user, scopes=["read"])]


class Item(BaseModel):
    name: str
    amount: int = 1
    notes: list[str] = []

"""
_ROUTE: Final = '''
@router.{method}("/{path}/{{item_id}}")
async def {method}_{path}(item_id: int, user: User{body}) -> Item:
    """One of many."""
    found = await services.find_{path}(item_id, owner=user)
    if found is None:
        raise HTTPException(404, "there is no such item")
    total = sum(len(note) for note in found.get("notes", []))
    return Item(name=f"{{found['name']}} of {{user}}", amount=total)

'''
_SERVICE: Final = """
async def find_{path}(item_id: int, owner: str) -> dict[str, object] | None:
    rows = [{{"id": number, "name": f"item {{number}}", "owner": owner}} for number in range(100)]
    chosen = [row for row in rows if row["id"] == item_id and row["owner"] == owner]
    if not chosen:
        return None
    row = chosen[0]
    notes = []
    for word in str(row["name"]).split():
        if word.isdigit():
            notes.append(word.zfill(8))
        elif word:
            notes.append(word.upper())
    return {{**row, "notes": notes}}

"""
_PROGRAM: Final = """\
import json, sys, time
from watchword.check.checking import check
from watchword.check.load import load
from watchword.check.subject import Subject
start = time.perf_counter()
target = load("shop.main:app")
imported, worked = time.perf_counter(), time.process_time()
report = check(Subject.of(target))
done = time.perf_counter()
took = [imported - start, done - imported, time.process_time() - worked]
print(json.dumps([*took, len(report.subject.routes), len(report.subject.sources.own)]))
"""


def measure_check(repeats: int) -> list[dict[str, Any]]:
    """Seconds of the import and of the check, each time in a new process; of the processor too, for a busy machine.

    Args:
        repeats: How often each.
    """
    return [_measure(modules, routes, repeats) for modules, routes in ((100, 5), (10, 50), (1, 500))]


def _measure(modules: int, routes: int, repeats: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="watchword-bench-") as directory:
        _write_app(Path(directory) / "shop", modules, routes)
        runs = [_run(directory) for _repeat in range(repeats)]
    return {
        "app": f"{modules * routes} routes in {modules} {'module' if modules == 1 else 'modules'}",
        "routes": int(runs[0][3]),
        "files": int(runs[0][4]),
        "import s": median(run[0] for run in runs),
        "check s": median(run[1] for run in runs),
        "check CPU s": median(run[2] for run in runs),
    }


def _write_app(package: Path, modules: int, routes: int) -> None:
    for folder in ("routers", "services"):
        (package / folder).mkdir(parents=True)
        (package / folder / "__init__.py").touch()
    (package / "__init__.py").touch()
    (package / "security.py").write_text(_SECURITY)
    main = ["from fastapi import FastAPI\n\nfrom . import security\n"]
    main += [f"from .routers import items{number}\n" for number in range(modules)]
    main += ["\napp = FastAPI()\napp.include_router(security.router)\n"]
    main += [f"app.include_router(items{number}.router)\n" for number in range(modules)]
    (package / "main.py").write_text("".join(main))
    for number in range(modules):
        paths = [f"part{part}" for part in range(routes)]
        handlers = [
            _ROUTE.format(path=path, method=("get", "post")[part % 2], body=", item: Item" if part % 2 else "")
            for part, path in enumerate(paths)
        ]
        name = f"items{number}"
        (package / "routers" / f"{name}.py").write_text(_ROUTER.format(name=name) + "".join(handlers))
        (package / "services" / f"{name}.py").write_text("".join(_SERVICE.format(path=path) for path in paths))


def _run(directory: str) -> list[float]:
    command = [sys.executable, "-c", _PROGRAM]
    outcome = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=True)
    return [float(figure) for figure in json.loads(outcome.stdout)]
