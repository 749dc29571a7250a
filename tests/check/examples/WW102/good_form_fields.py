from typing import Annotated

from fastapi import Depends, FastAPI, Form
from fastapi.security import OAuth2PasswordBearer
from pydantic import BaseModel

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="token")


class LoginForm(BaseModel):
    username: str
    password: str


@app.post("/token")
async def token(form: Annotated[LoginForm, Form()]):
    return {"access_token": form.username, "token_type": "bearer"}


@app.get("/me")
async def me(token: str = Depends(bearer)):
    return token
