from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class UserSchema(BaseModel):
    username: str
    password: str


@app.post("/users", response_model=UserSchema)
def create(user: UserSchema):
    return user
