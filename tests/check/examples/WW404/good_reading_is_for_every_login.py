from fastapi import APIRouter, Depends, FastAPI, HTTPException, Security
from fastapi.security import HTTPBearer, SecurityScopes

router = APIRouter(prefix="/orders")


def get_user(needed: SecurityScopes, token=Depends(HTTPBearer())) -> str:
    if not set(needed.scopes) <= set(token.credentials.split()):
        raise HTTPException(status_code=403)
    return token.credentials


@router.get("/")
def orders(user: str = Depends(get_user)) -> str:
    return user


@router.post("/")
def create(user: str = Security(get_user, scopes=["orders:write"])) -> str:
    return user


@router.delete("/{id}")
def delete(id: int, user: str = Security(get_user, scopes=["orders:delete"])) -> str:
    return user


app = FastAPI()
app.include_router(router)
