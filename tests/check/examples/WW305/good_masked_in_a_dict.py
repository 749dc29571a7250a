"""What logs in elsewhere is kept; who asks for it sees that there is one, and not which."""

import os

from fastapi import Depends, FastAPI
from fastapi.security import HTTPBearer
from pydantic import BaseModel

app = FastAPI(dependencies=[Depends(HTTPBearer())])
MASKED = "*****"


class Upstream(BaseModel):
    url: str
    username: str
    password: str | None


def shown(url: str) -> dict[str, str | None]:
    password = os.environ.get("UPSTREAM_PASSWORD")
    return {"url": url, "username": "shop", "password": MASKED if password else None}


@app.get("/upstream", response_model=Upstream)
def upstream() -> dict[str, str | None]:
    return shown("https://upstream.example")
