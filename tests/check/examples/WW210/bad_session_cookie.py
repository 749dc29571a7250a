from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware

app = FastAPI(middleware=[Middleware(SessionMiddleware, secret_key="blauer-Wal")])


@app.get("/")
def home() -> str:
    return "home"
