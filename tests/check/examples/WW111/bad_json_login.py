from fastapi import APIRouter, FastAPI, Response
from pydantic import BaseModel


class Credentials(BaseModel):
    email: str
    password: str


router = APIRouter(prefix="/auth")


@router.post("/login")
def login(credentials: Credentials, response: Response) -> None:
    response.set_cookie("session", credentials.email, httponly=True, secure=False)


def create_app() -> FastAPI:
    app = FastAPI(title="Shop")
    app.include_router(router)
    return app


app = create_app()
