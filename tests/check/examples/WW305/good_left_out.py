from fastapi import FastAPI
from pydantic import BaseModel, Field, SecretStr, field_serializer

app = FastAPI()


class User(BaseModel):
    name: str
    hashed_password: str = Field(exclude=True)


class Connection(BaseModel):
    host: str
    password: SecretStr | None = None


class Masked(BaseModel):
    password: str = ""

    @field_serializer("password")
    def masked(self, value: str) -> str:
        return "********"


class Account(BaseModel):
    name: str
    password: str
    password_set: bool = True


@app.get("/me")
def me() -> User:
    return User(name="anna", hashed_password="…")


@app.get("/connection")
def connection() -> list[Connection | Masked]:
    return []


@app.get("/account", response_model=Account, response_model_exclude={"password"})
def account():
    return Account(name="anna", password="…")
