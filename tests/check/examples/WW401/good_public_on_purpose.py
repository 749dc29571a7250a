from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Form
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm
from pydantic import BaseModel


class NewUser(BaseModel):
    email: str
    password: str


class Invitation(BaseModel):
    invitation_token: str


app = FastAPI()
auth = APIRouter(prefix="/users")


@app.post("/token")
def token(form: Annotated[OAuth2PasswordRequestForm, Depends()]) -> dict[str, str]:
    return {"access_token": form.username, "token_type": "bearer"}


@auth.post("/")
def create_user(user: NewUser) -> None: ...


@auth.post("/forgotPassword")
def forgot(email: str) -> None: ...


@auth.post("/join")
def join(invitation: Invitation) -> None: ...


@app.post("/unlock/{token}")
def unlock(token: str) -> None: ...


@app.post("/contact-form")
def contact(text: Annotated[str, Form()]) -> None: ...


@app.post("/products/search")
def search(text: str) -> list[str]:
    return []


@app.get("/me")
def me(token: Annotated[str, Depends(OAuth2PasswordBearer(tokenUrl="token"))]) -> str:
    return token


app.include_router(auth)
