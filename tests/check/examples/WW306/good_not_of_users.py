from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordRequestForm
from pydantic import BaseModel

app = FastAPI()


class User(BaseModel):
    name: str
    hashed_password: str


class Product(BaseModel):
    name: str
    is_active: bool = True


class UserPreference(BaseModel):
    enabled_features: list[str] = []


@app.post("/token")
def token(form: OAuth2PasswordRequestForm = Depends()):
    raise HTTPException(400, "Incorrect username or password")


@app.get("/products")
def products() -> list[Product]:
    return []
