"""A connection's password is written over before it is answered, and a form says how its password field looks."""

from fastapi import Depends, FastAPI
from fastapi.security import HTTPBearer
from pydantic import BaseModel, field_validator

app = FastAPI(dependencies=[Depends(HTTPBearer())])


class Connection(BaseModel):
    host: str
    password: str | None

    @field_validator("password", mode="after")
    @classmethod
    def redact(cls, value: str | None) -> str | None:
        return None if value is None else "***"


class FieldOfForm(BaseModel):
    hidden: bool
    title: str


class ConnectionForm(BaseModel):
    host: FieldOfForm | None
    password: FieldOfForm | None


@app.get("/connections/{name}")
def connection(name: str) -> Connection:
    return Connection(host=name, password="x")


@app.get("/connections/{name}/form")
def form(name: str) -> ConnectionForm:
    return ConnectionForm(host=FieldOfForm(hidden=False, title=name), password=None)
