from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, model_validator

app = FastAPI()


class SignUp(BaseModel):
    email: str
    password: str
    password2: str
    password_confirm: str

    @model_validator(mode="after")
    def same(self) -> "SignUp":
        if self.password != self.password2:
            raise ValueError("Passwords differ")
        return self


@app.post("/sign-up")
def sign_up(data: SignUp) -> str:
    if data.password != data.password_confirm:
        raise HTTPException(422, "Passwords differ")
    if data.password == data.email or data.password == "":
        raise HTTPException(422, "Choose another")
    return data.email
