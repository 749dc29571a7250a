from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

app = FastAPI()
users = {"anna@example.com": "hash"}
mails: list[str] = []
tokens: dict[str, str] = {}


class Reset(BaseModel):
    token: str
    new_password: str


@app.post("/password-recovery/{email}")
async def recover_password(email: str) -> dict[str, str]:
    if email in users:
        mails.append(email)
    return {"message": "If there is such an account, a mail is on its way"}


@app.post("/reset-password/")
async def reset_password(data: Reset) -> dict[str, str]:
    email = tokens.get(data.token)
    if email is None:
        raise HTTPException(400, "Invalid token")
    if email not in users:
        raise HTTPException(404, "The user with this email does not exist in the system.")
    return {"message": "Password changed"}
