from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from pydantic_settings import BaseSettings

app = FastAPI()


class Settings(BaseSettings):
    admin_password: str = ""


settings = Settings()


def admin(credentials: HTTPBasicCredentials = Depends(HTTPBasic())) -> None:
    if credentials.password != settings.admin_password:
        raise HTTPException(401, "No", {"WWW-Authenticate": "Basic"})


@app.get("/admin", dependencies=[Depends(admin)])
def overview() -> str:
    return "all well"
