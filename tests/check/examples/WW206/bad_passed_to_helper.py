import os

from fastapi import Depends, FastAPI
from fastapi.security import OAuth2PasswordRequestForm
from jose import jwt

app = FastAPI()
ALGORITHM = "HS256"


def create_access_token(data: dict[str, str]) -> str:
    to_encode = data.copy()
    return jwt.encode(to_encode, os.environ["SECRET_KEY"], algorithm=ALGORITHM)


@app.post("/token")
async def login(form: OAuth2PasswordRequestForm = Depends()) -> dict[str, str]:
    access_token = create_access_token(data={"sub": form.username})
    return {"access_token": access_token, "token_type": "bearer"}
