from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI
from fastapi.security import OAuth2PasswordBearer

# watchword: ignore[WW999] the identity provider answers this
oauth2 = OAuth2PasswordBearer(tokenUrl="https://login.example.com/token")
router = APIRouter(prefix="/orders")


@router.get("")
async def orders(token: Annotated[str, Depends(oauth2)]) -> list[str]:
    return []


app = FastAPI()
app.include_router(router)
