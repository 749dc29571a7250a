import base64

from fastapi import FastAPI

app = FastAPI()


@app.get("/page")
def page(cursor: str) -> str:
    return base64.b64decode(cursor).decode("ascii")
