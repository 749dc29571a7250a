from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Security
from fastapi.security import OAuth2PasswordBearer, SecurityScopes

bearer = OAuth2PasswordBearer(tokenUrl="token", scopes={"me": "Yourself.", "items": "Items."})
app = FastAPI()
GRANTED: dict[str, list[str]] = {}


async def get_current_user(security_scopes: SecurityScopes, token: Annotated[str, Depends(bearer)]) -> str:
    if security_scopes.scopes:
        challenge = f'Bearer scope="{security_scopes.scope_str}"'
    else:
        challenge = "Bearer"
    for scope in security_scopes.scopes:
        if scope not in GRANTED.get(token, []):
            raise HTTPException(status_code=401, headers={"WWW-Authenticate": challenge})
    return token


async def get_active_user(user: Annotated[str, Security(get_current_user, scopes=["me"])]) -> str:
    return user


@app.get("/items")
async def items(user: Annotated[str, Security(get_active_user, scopes=["items"])]) -> str:
    return user


@app.get("/status")
async def status(user: Annotated[str, Depends(get_current_user)]) -> str:
    return user
