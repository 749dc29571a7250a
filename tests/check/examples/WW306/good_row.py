from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordRequestForm
from pydantic import BaseModel

app = FastAPI()
rows: dict[str, dict[str, str]] = {}


class UserRow(BaseModel):
    name: str
    password_hash: str
    banned: bool = False


@app.post("/token")
def token(form: OAuth2PasswordRequestForm = Depends()):
    row = rows.get(form.username)
    if row is None or row["banned"]:
        raise HTTPException(400, "Incorrect username or password")
    return {"access_token": UserRow(**row).name, "token_type": "bearer"}
