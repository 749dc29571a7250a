from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordRequestForm
from pydantic import BaseModel

app = FastAPI()
fake_users_db = {"johndoe": {"username": "johndoe", "hashed_password": "fakehashedsecret"}}


class UserInDB(BaseModel):
    username: str
    hashed_password: str


@app.post("/token")
async def login(form_data: Annotated[OAuth2PasswordRequestForm, Depends()]):
    user_dict = fake_users_db.get(form_data.username)
    if not user_dict:
        raise HTTPException(status_code=400, detail="Incorrect username or password")
    user = UserInDB(**user_dict)
    return {"access_token": user.username, "token_type": "bearer"}
