from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Security
from fastapi.security import APIKeyHeader
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    shop_access_token: str = ""


settings = Settings()
dependencies = []
if settings.shop_access_token:
    key = APIKeyHeader(name="X-Access-Token", auto_error=False)

    def check(token: Annotated[str | None, Security(key)]) -> None:
        if token != settings.shop_access_token:
            raise HTTPException(401)

    dependencies.append(Depends(check))

app = FastAPI(dependencies=dependencies)


@app.post("/items")
def create(name: str) -> None: ...
