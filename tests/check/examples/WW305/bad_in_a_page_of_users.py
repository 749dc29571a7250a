from typing import Generic, TypeVar

from fastapi import APIRouter, FastAPI
from pydantic import BaseModel

T = TypeVar("T")


class UserBase(BaseModel):
    email: str
    password_hash: str | None = None


class UserOut(UserBase):
    id: int


class AdminOut(UserBase):
    rights: list[str]


class Page(BaseModel, Generic[T]):
    items: list[T]


router = APIRouter(prefix="/admin")


@router.get("/users", response_model=Page[UserOut])
async def users():
    return {"items": []}


@router.get("/admins")
async def admins() -> list[AdminOut]:
    return []


app = FastAPI()
app.include_router(router)
