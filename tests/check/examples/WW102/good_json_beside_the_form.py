from fastapi import Depends, FastAPI
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm
from pydantic import BaseModel

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="auth/token")


class Login(BaseModel):
    username: str
    password: str


def issue(username: str) -> dict[str, str]:
    return {"access_token": username, "token_type": "bearer"}


@app.post("/auth/login")
def login(data: Login):
    return issue(data.username)


@app.post("/auth/token", include_in_schema=False)
def token(form: OAuth2PasswordRequestForm = Depends()):
    return issue(form.username)


@app.get("/me")
def me(token: str = Depends(bearer)):
    return token
