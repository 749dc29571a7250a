from fastapi import Depends, FastAPI
from fastapi.security import HTTPBearer
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    docs_url: str | None = "/docs"
    debug: bool = True


settings = Settings()
app = FastAPI(docs_url=settings.docs_url, redoc_url="/redoc" if settings.debug else None)


@app.get("/orders", dependencies=[Depends(HTTPBearer())])
def orders() -> list[int]:
    return []
