from urllib.request import Request, urlopen

from fastapi import Depends, FastAPI
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

app = FastAPI()
bearer = HTTPBearer()


def client_for(credentials: HTTPAuthorizationCredentials = Depends(bearer)) -> Request:
    token = credentials.credentials
    return Request("https://api.example.com/orders", headers={"Authorization": f"Bearer {token}"})


@app.get("/orders")
def orders(request: Request = Depends(client_for)) -> object:
    with urlopen(request) as answer:
        return answer.read()
