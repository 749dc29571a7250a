from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi.security import OAuth2PasswordBearer

User = Annotated[str, Depends(OAuth2PasswordBearer(tokenUrl="https://login.example.com/token"))]
app = FastAPI()


@app.get("/invoices")
def invoices(user: User) -> list[str]:
    return []


@app.post("/invoices")
def create(user: User) -> None: ...


@app.post("/invoices/{number}/pay-with-card")
def pay(number: str, card: str) -> None: ...
