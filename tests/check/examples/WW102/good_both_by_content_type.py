from fastapi import Depends, FastAPI, Request
from fastapi.security import OAuth2PasswordBearer

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="token")


@app.post("/token")
async def token(request: Request):
    if request.headers.get("content-type", "").startswith("application/json"):
        login = await request.json()
    else:
        login = await request.form()
    return {"access_token": login["username"], "token_type": "bearer"}


@app.get("/me")
async def me(token: str = Depends(bearer)):
    return token
