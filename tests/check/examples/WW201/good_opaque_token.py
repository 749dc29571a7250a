import hashlib
import secrets

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, OAuth2PasswordRequestForm

app = FastAPI()
bearer = HTTPBearer()
sessions: dict[str, str] = {}


def token_of(credentials: HTTPAuthorizationCredentials = Depends(bearer)) -> str:
    return credentials.credentials


def find_session(token: str) -> str | None:
    return sessions.get(hashlib.sha256(token.encode()).hexdigest())


async def current_user(token: str = Depends(token_of)) -> str:
    user = find_session(token)
    if user is None:
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    return user


@app.post("/login")
def login(form: OAuth2PasswordRequestForm = Depends()) -> dict[str, str]:
    token = secrets.token_urlsafe(32)
    sessions[hashlib.sha256(token.encode()).hexdigest()] = form.username
    return {"access_token": token, "token_type": "bearer"}


@app.get("/me")
async def me(user: str = Depends(current_user)) -> str:
    return user


@app.get("/raw")
async def raw(token: str = Depends(token_of), user: str = Depends(current_user)) -> dict[str, str]:
    return {"token": token[:4], "user": user}
