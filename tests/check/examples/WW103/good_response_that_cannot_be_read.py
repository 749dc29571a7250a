from fastapi import Depends, FastAPI
from fastapi.responses import JSONResponse
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="token")


def tokens_of(username: str) -> dict[str, str]:
    return {"access_token": username} | {"token_type": "bearer"}


@app.post("/token")
async def token(form: OAuth2PasswordRequestForm = Depends()):
    response = JSONResponse(tokens_of(form.username))
    response.set_cookie("refresh_token", form.username, httponly=True)
    return response


@app.get("/me")
async def me(token: str = Depends(bearer)):
    return token
