import base64

from fastapi import APIRouter, FastAPI
from pydantic import BaseModel


class Credentials(BaseModel):
    email: str
    password: str


class Token(BaseModel):
    access_token: str
    token_type: str = "bearer"


def make_token(email: str) -> str:
    return base64.urlsafe_b64encode(f"token-{email}".encode()).decode()


router = APIRouter()


@router.post("/login", response_model=Token)
def login(credentials: Credentials) -> Token:
    token = make_token(credentials.email)
    return Token(access_token=token)


app = FastAPI()
app.include_router(router, prefix="/auth")
