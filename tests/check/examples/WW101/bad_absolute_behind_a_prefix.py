from fastapi import APIRouter, Depends, FastAPI
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm

bearer = OAuth2PasswordBearer(tokenUrl="/token")
router = APIRouter(prefix="/api/v1")


@router.post("/token")
async def token(form: OAuth2PasswordRequestForm = Depends()) -> dict[str, str]:
    return {"access_token": form.username, "token_type": "bearer"}


@router.get("/me")
async def me(token: str = Depends(bearer)) -> str:
    return token


app = FastAPI()
app.include_router(router)
