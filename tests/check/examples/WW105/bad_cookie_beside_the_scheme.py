from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

app = FastAPI()
bearer = HTTPBearer(auto_error=False)
keys = {"k1": "anna"}


def user(request: Request, credentials: HTTPAuthorizationCredentials | None = Depends(bearer)) -> str:
    token = credentials.credentials if credentials else request.cookies.get("access_token")
    if token not in keys:
        raise HTTPException(status_code=401, detail="Authorization token required")
    return keys[token]


@app.get("/me")
def me(user: str = Depends(user)) -> str:
    return user
