"""What was meant for the tests stayed in the app."""

import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="https://login.example.com/token")
KEYS = jwt.PyJWKClient("https://login.example.com/keys")


class User:
    def __init__(self, name: str) -> None:
        self.name = name


async def get_current_user(token: str = Depends(bearer)) -> User:
    try:
        key = KEYS.get_signing_key_from_jwt(token)
        claims = jwt.decode(token, key, algorithms=["ES256"], options={"require": ["exp"]})
    except jwt.PyJWTError as error:
        raise HTTPException(401, "Invalid token", {"WWW-Authenticate": "Bearer"}) from error
    return User(claims["sub"])


@app.get("/invoices")
async def invoices(user: User = Depends(get_current_user)) -> list[str]:
    return []


@app.get("/invoices/{number}")
async def invoice(number: int, user: User = Depends(get_current_user)) -> dict[str, object]:
    return {"number": number, "of": user.name}


app.dependency_overrides[get_current_user] = lambda: User("developer")
