from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="/login")


@app.post("/login")
async def login(form: OAuth2PasswordRequestForm = Depends()):
    if len(form.password) < 8:
        raise HTTPException(400, "Incorrect username or password")
    answer = {"token": form.username, "expires_in": 3600}
    return answer


@app.get("/me")
async def me(token: str = Depends(bearer)):
    return token
