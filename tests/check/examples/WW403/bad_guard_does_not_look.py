from fastapi import Depends, FastAPI, HTTPException, Security
from fastapi.security import OAuth2PasswordBearer, SecurityScopes

bearer = OAuth2PasswordBearer(tokenUrl="token", scopes={"items": "Items."}, auto_error=False)
app = FastAPI()


def get_user(security_scopes: SecurityScopes, token: str | None = Depends(bearer)) -> str:
    if security_scopes.scopes:
        challenge = f'Bearer scope="{security_scopes.scope_str}"'
    else:
        challenge = "Bearer"
    if token is None:
        raise HTTPException(status_code=401, headers={"WWW-Authenticate": challenge})
    return token


@app.get("/items")
def items(user: str = Security(get_user, scopes=["items"])) -> str:
    return user
