from fastapi import Depends, FastAPI, HTTPException, Security
from fastapi.security import HTTPBearer, SecurityScopes

app = FastAPI()


async def get_user(security_scopes: SecurityScopes, token=Depends(HTTPBearer(auto_error=False))) -> str:
    if token is None:
        raise HTTPException(status_code=401)
    return token.credentials


@app.get("/me")
async def me(user: str = Security(get_user)) -> str:
    return user
