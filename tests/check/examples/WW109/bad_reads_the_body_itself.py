from fastapi import Depends, FastAPI, Request
from pydantic import BaseModel

app = FastAPI()


class LoginBody(BaseModel):
    username: str
    password: str


async def parse_body(request: Request) -> LoginBody:
    if request.headers.get("content-type") == "application/json":
        body = await request.json()
    else:
        form = await request.form()
        body = {"username": form.get("username"), "password": form.get("password")}
    return LoginBody(**body)


def listed(text: str, delimiter: str = ",") -> list[str]:
    return text.split(delimiter)


@app.post("/auth/token")
def create_token(body: LoginBody = Depends(parse_body)) -> list[str]:
    return listed(body.username)
