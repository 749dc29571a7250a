from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

app = FastAPI()
bearer = HTTPBearer(auto_error=False)


def maybe_user(credentials: HTTPAuthorizationCredentials | None = Depends(bearer)) -> str | None:
    return credentials.credentials if credentials else None


def user(found: str | None = Depends(maybe_user)) -> str:
    if found is None:
        raise HTTPException(status_code=401)
    return found


@app.get("/profile")
def profile(user: str = Depends(user)) -> str:
    return user


@app.patch("/profile")
def change(name: str, user: str = Depends(user)) -> None: ...


@app.post("/comments")
def comment(text: str, user: str | None = Depends(maybe_user)) -> None: ...
