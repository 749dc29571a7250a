from fastapi import Depends, FastAPI, HTTPException, Security
from fastapi.security import HTTPBearer, SecurityScopes

app = FastAPI()


def get_user(needed: SecurityScopes = Depends(), token=Depends(HTTPBearer())) -> str:
    if not set(needed.scopes or ()) <= set(token.credentials.split()):
        raise HTTPException(status_code=403)
    return token.credentials


@app.post("/orders")
def create(user: str = Security(get_user, scopes=["orders:write"])) -> str:
    return user
