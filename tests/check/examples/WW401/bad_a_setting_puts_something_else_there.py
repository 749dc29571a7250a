from fastapi import Depends, FastAPI
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    counts_requests: bool = False


settings = Settings()
dependencies = []
if settings.counts_requests:

    def count() -> None: ...

    dependencies.append(Depends(count))

app = FastAPI(dependencies=dependencies)


@app.post("/items")
def create(name: str) -> None: ...
