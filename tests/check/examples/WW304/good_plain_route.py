from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi.security import OAuth2PasswordRequestForm
from pwdlib import PasswordHash

app = FastAPI()
password_hash = PasswordHash.recommended()
DUMMY = password_hash.hash("dummy")


def authenticated(form: Annotated[OAuth2PasswordRequestForm, Depends()]) -> str | None:
    return form.username if password_hash.verify(form.password, DUMMY) else None


@app.post("/token")
async def token(user: Annotated[str | None, Depends(authenticated)]):
    return {"access_token": user, "token_type": "bearer"}


@app.post("/users")
def create(password: str) -> str:
    return password_hash.hash(password)
