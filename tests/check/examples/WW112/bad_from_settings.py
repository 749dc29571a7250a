from fastapi import FastAPI, Response
from fastapi.middleware.cors import CORSMiddleware
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    cors_origins: list[str] = ["*"]
    cors_credentials: bool = True


settings = Settings()
api = FastAPI()
api.add_middleware(
    CORSMiddleware, allow_origins=settings.cors_origins, allow_credentials=settings.cors_credentials
)


@api.post("/login")
def login(response: Response) -> None:
    response.set_cookie("session", "value", secure=True, samesite="none")


app = FastAPI()
app.mount("/api", api)
