from fastapi import Depends, FastAPI
from fastapi.security import OAuth2PasswordBearer
from pydantic import BaseModel, EmailStr

app = FastAPI()
reusable_oauth2 = OAuth2PasswordBearer(tokenUrl="/api/v1/login/access-token")


class LoginRequest(BaseModel):
    email: EmailStr
    password: str


@app.post("/api/v1/login/access-token")
def login_access_token(request: LoginRequest):
    return {"access_token": request.email, "token_type": "bearer"}


@app.get("/api/v1/users/me")
def me(token: str = Depends(reusable_oauth2)):
    return token
