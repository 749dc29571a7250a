from fastapi import Depends, FastAPI, Request
from fastapi.security import OAuth2PasswordBearer

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="token")


@app.post("/token")
async def token(request: Request):
    login = await request.json()
    return {"access_token": login["username"], "token_type": "bearer"}


@app.get("/me")
async def me(token: str = Depends(bearer)):
    return token
