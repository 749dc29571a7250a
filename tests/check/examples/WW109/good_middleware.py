from fastapi import Depends, FastAPI
from fastapi.security import OAuth2PasswordRequestForm
from slowapi import Limiter
from slowapi.middleware import SlowAPIMiddleware
from slowapi.util import get_remote_address

app = FastAPI()
app.state.limiter = Limiter(key_func=get_remote_address, default_limits=["30/minute"])
app.add_middleware(SlowAPIMiddleware)


@app.post("/token")
async def token(form: OAuth2PasswordRequestForm = Depends()):
    return {"access_token": form.username, "token_type": "bearer"}
