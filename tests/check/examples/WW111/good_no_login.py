from fastapi import Depends, FastAPI
from fastapi.security import HTTPBearer

app = FastAPI()


@app.get("/orders", dependencies=[Depends(HTTPBearer())])
def orders() -> list[int]:
    return []
