import os
import secrets
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Security
from fastapi.security import APIKeyHeader

api_key_header = APIKeyHeader(name="X-API-Key")


class Settings:
    def __init__(self) -> None:
        self.api_key = os.environ.get("API_KEY", "")


def get_settings() -> Settings:
    return Settings()


def verify_api_key(
    key: Annotated[str, Security(api_key_header)], settings: Annotated[Settings, Depends(get_settings)]
) -> None:
    if not secrets.compare_digest(key, settings.api_key):
        raise HTTPException(status_code=403, detail="Wrong key")


app = FastAPI(dependencies=[Depends(verify_api_key)])


@app.get("/jobs")
def jobs(key: Annotated[str, Security(api_key_header)]) -> list[str]:
    return []
