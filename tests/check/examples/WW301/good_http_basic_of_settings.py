import secrets

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from pydantic_settings import BaseSettings

app = FastAPI()


class Settings(BaseSettings):
    admin_password: str = "changeme"


settings = Settings()


def admin(credentials: HTTPBasicCredentials = Depends(HTTPBasic())) -> None:
    if settings.admin_password == "changeme":
        raise HTTPException(503, "Set a password first")
    if not secrets.compare_digest(credentials.password.encode(), settings.admin_password.encode()):
        raise HTTPException(401, "No", {"WWW-Authenticate": "Basic"})


@app.get("/admin", dependencies=[Depends(admin)])
def overview() -> str:
    return "all well"
