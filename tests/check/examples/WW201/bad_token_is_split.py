from fastapi import Depends, FastAPI, HTTPException, Request

app = FastAPI()


class Caller:
    name: str
    role: str


def current_caller(request: Request) -> dict[str, str]:
    header = request.headers.get("Authorization")
    if not header or not header.startswith("Bearer "):
        raise HTTPException(status_code=401, detail="Not authenticated")
    name, _, role = header.removeprefix("Bearer ").partition(":")
    return {"name": name, "role": role}


@app.get("/orders")
def orders(caller: dict[str, str] = Depends(current_caller)):
    return {"of": caller["name"]}
