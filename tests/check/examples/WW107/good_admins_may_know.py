from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="token")
users: dict[str, str] = {}


@app.post("/token")
async def token(form: OAuth2PasswordRequestForm = Depends()):
    if len(form.username) > 100:
        raise HTTPException(400, "Invalid email format")
    raise HTTPException(400, "Incorrect username or password")


@app.post("/admin/users/{name}/send-reset")
async def send_reset(name: str, token: str = Depends(bearer)):
    if name not in users:
        raise HTTPException(404, "User not found")
