import secrets

from fastapi import Depends, FastAPI
from fastapi.security import OAuth2PasswordRequestForm
from pydantic import BaseModel, ConfigDict

app = FastAPI()
issued: dict[str, str] = {}


class Token(BaseModel):
    model_config = ConfigDict(json_schema_extra={"example": {"access_token": "eyJhbGciOi", "token_type": "bearer"}})
    access_token: str
    token_type: str


def make_token(username: str) -> str:
    token = f"{username}.{secrets.token_urlsafe(32)}"
    issued[token] = username
    return token


@app.post("/token", responses={200: {"content": {"application/json": {"example": {"access_token": "abc"}}}}})
def token(form: OAuth2PasswordRequestForm = Depends()) -> Token:
    username = form.username
    token = make_token(username)
    return Token(access_token=token, token_type="bearer")
