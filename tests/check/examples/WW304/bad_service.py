from fastapi import APIRouter, Depends, FastAPI
from passlib.context import CryptContext
from pydantic import BaseModel


class SignUp(BaseModel):
    email: str
    password: str


class Hasher:
    def __init__(self) -> None:
        self.context = CryptContext(schemes=["argon2"])

    def hashed(self, password: str) -> str:
        return self.context.hash(password)


class UserService:
    def __init__(self, hasher: Hasher = Depends()) -> None:
        self.hasher = hasher

    async def register(self, data: SignUp) -> str:
        return self.hasher.hashed(data.password)


router = APIRouter()


@router.post("/users")
async def create_user(data: SignUp, service: UserService = Depends()) -> None:
    await service.register(data)


@router.post("/admin/users")
async def create_by_admin(data: SignUp, service: UserService = Depends()) -> None:
    await service.register(data)


app = FastAPI()
app.include_router(router)
