from fastapi import Depends, FastAPI
from fastapi.security import OAuth2PasswordRequestForm

app = FastAPI()
login_form = Depends(OAuth2PasswordRequestForm)


class Logins:
    def token(self, form: OAuth2PasswordRequestForm) -> str:
        return form.username


def granted(form: OAuth2PasswordRequestForm, scopes: list[str] | None = None) -> list[str]:
    return scopes or form.scopes


@app.post("/token")
async def token(form: OAuth2PasswordRequestForm = login_form):
    return {"access_token": Logins().token(form), "token_type": "bearer", "scope": " ".join(granted(form))}
