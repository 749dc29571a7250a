import hmac
import os
import secrets
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException, Request

KEY = os.environ.get("ADMIN_KEY") or secrets.token_hex()
INTRANET = {"10.0.0.1"}
app = FastAPI(openapi_url=None)
stored: dict[str, bytes] = {}


def admin(x_admin_key: Annotated[str, Header()]) -> None:
    if not secrets.compare_digest(x_admin_key, KEY):
        raise HTTPException(403)


def service(request: Request) -> None:
    if not hmac.compare_digest(request.headers.get("X-Service-Key", ""), KEY):
        raise HTTPException(403)


def by_proxy(x_forwarded_user: Annotated[str, Header()] = "") -> str:
    if not x_forwarded_user:
        raise HTTPException(403)
    return x_forwarded_user


def from_here(request: Request) -> None:
    if request.client is None or request.client.host not in INTRANET:
        raise HTTPException(403)


@app.delete("/a/{name}", dependencies=[Depends(admin)])
def by_admin(name: str) -> None:
    stored.pop(name)


@app.delete("/b/{name}", dependencies=[Depends(service)])
def by_service(name: str) -> None:
    stored.pop(name)


@app.delete("/c/{name}")
def by_user(name: str, user: Annotated[str, Depends(by_proxy)]) -> None:
    stored.pop(user + name)


@app.delete("/d/{name}", dependencies=[Depends(from_here)])
def by_neighbour(name: str) -> None:
    stored.pop(name)


@app.put("/upload/{name}")
async def upload(request: Request, name: str, expires: int, sig: str) -> None:
    if not hmac.compare_digest(sig, hmac.new(KEY.encode(), f"{name}{expires}".encode(), "sha256").hexdigest()):
        raise HTTPException(403)
    stored[name] = await request.body()
