from fastapi import APIRouter, FastAPI, HTTPException
from pydantic import BaseModel

router = APIRouter(prefix="/auth")
mails: list[str] = []
users = {"anna@example.com": 1}


class Forgot(BaseModel):
    email: str


@router.post("/forgot-password")
async def forgot_password(data: Forgot) -> dict[str, str]:
    user = users.get(data.email)
    if user is None:
        raise HTTPException(404, "User with this email does not exist")
    mails.append(data.email)
    return {"message": "Mail sent"}


app = FastAPI()
app.include_router(router)
