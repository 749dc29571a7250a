import os
from typing import Any

import jwt
from fastapi import Body, FastAPI

from importlib import import_module

app = FastAPI()


def enriched(claims: dict[str, Any]) -> dict[str, Any]:
    return import_module("json").loads("{}") | claims


class Minter:
    claims: dict[str, Any]

    def mint(self) -> str:
        return jwt.encode(self.claims, os.environ["KEY"], algorithm="HS256")


@app.post("/sign")
def sign(claims: dict[str, Any] = Body()) -> str:
    return jwt.encode(enriched(claims), os.environ["KEY"], algorithm="HS256")


@app.post("/form")
def form(**anything: Any) -> str:
    return jwt.encode(anything, os.environ["KEY"], algorithm="HS256")
