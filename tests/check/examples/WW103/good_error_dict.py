from fastapi import Depends, FastAPI, Response
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="token")


@app.post("/token")
async def token(response: Response, form: OAuth2PasswordRequestForm = Depends()):
    if len(form.password) < 8:
        response.status_code = 400
        return {"error": "invalid_grant", "error_description": "no token for you"}
    return {"access_token": form.username, "token_type": "bearer", "expires_in": 900}


@app.get("/me")
async def me(token: str = Depends(bearer)):
    return token
