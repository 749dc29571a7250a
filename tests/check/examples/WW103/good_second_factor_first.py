from fastapi import Depends, FastAPI
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm
from pydantic import BaseModel

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="token")


class BaseToken(BaseModel):
    access_token: str


class Token(BaseToken):
    token_type: str = "bearer"


class SecondFactor(BaseModel):
    mfa_token: str


@app.post("/token")
async def token(form: OAuth2PasswordRequestForm = Depends()) -> SecondFactor | Token:
    if form.username.startswith("a"):
        return SecondFactor(mfa_token=form.username)
    return Token(access_token=form.username)


@app.get("/me")
async def me(token: str = Depends(bearer)):
    return token
