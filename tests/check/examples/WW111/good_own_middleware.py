from fastapi import Depends, FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from fastapi.security import OAuth2PasswordRequestForm

app = FastAPI()


@app.middleware("http")
async def only_encrypted(request: Request, call_next) -> Response:
    if request.url.scheme == "http":
        return RedirectResponse(request.url.replace(scheme="https"))
    return await call_next(request)


@app.post("/token")
async def login(form: OAuth2PasswordRequestForm = Depends()) -> dict[str, str]:
    return {"access_token": form.username, "token_type": "bearer"}
