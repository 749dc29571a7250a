from fastapi import Depends, FastAPI
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="token")


class Token(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    access_token: str
    token_type: str = "bearer"


@app.post("/token", response_model=Token)
async def token(form: OAuth2PasswordRequestForm = Depends()):
    return Token(access_token=form.username)


@app.get("/me")
async def me(token: str = Depends(bearer)):
    return token
