from fastapi import FastAPI
from pydantic import BaseModel


class Item(BaseModel):
    name: str


app = FastAPI()
ITEMS: list[Item] = []


@app.post("/items")
def create(item: Item) -> None:
    ITEMS.append(item)


@app.delete("/items")
def delete() -> None:
    ITEMS.clear()
