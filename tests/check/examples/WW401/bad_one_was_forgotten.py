from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm

User = Annotated[str, Depends(OAuth2PasswordBearer(tokenUrl="token"))]
router = APIRouter(prefix="/api/v1/items", tags=["items"])
app = FastAPI()


@app.post("/token")
def token(form: Annotated[OAuth2PasswordRequestForm, Depends()]) -> dict[str, str]:
    return {"access_token": form.username, "token_type": "bearer"}


@router.get("/")
def items(user: User) -> list[int]:
    return []


@router.put("/{id}")
def update(id: int, user: User) -> None: ...


@router.delete("/{id}")
def delete(id: int) -> None: ...


app.include_router(router)
