from fastapi import Depends, FastAPI
from fastapi.security import OAuth2PasswordRequestForm

TOKEN = "demo-access-token"
app = FastAPI()


@app.post("/token")
def token(form: OAuth2PasswordRequestForm = Depends()) -> dict[str, str]:
    return {"access_token": TOKEN, "token_type": "bearer"}
