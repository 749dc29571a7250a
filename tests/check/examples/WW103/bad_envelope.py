from typing import Annotated, Generic, TypeVar

from fastapi import Depends, FastAPI
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm
from pydantic import BaseModel

T = TypeVar("T")
app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="token")


class Token(BaseModel):
    access_token: str
    token_type: str = "bearer"


class Envelope(BaseModel, Generic[T]):
    code: int = 0
    data: T


@app.post("/token")
def token(form: Annotated[OAuth2PasswordRequestForm, Depends()]) -> Envelope[Token]:
    return Envelope(data=Token(access_token=form.username))


@app.get("/me")
def me(token: Annotated[str, Depends(bearer)]) -> str:
    return token
