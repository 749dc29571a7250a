from fastapi import APIRouter, FastAPI
from fastapi.security import OAuth2PasswordRequestForm

router = APIRouter()


@router.post("/login")
def login(credentials=OAuth2PasswordRequestForm):
    return {"access_token": credentials.username, "token_type": "bearer"}


app = FastAPI()
app.include_router(router)
