from fastapi import Depends, FastAPI, Header, HTTPException

app = FastAPI()
sessions: dict[str, dict[str, str]] = {}


def session(authorization: str = Header()) -> dict[str, str]:
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise HTTPException(status_code=401, detail="Use a bearer token")
    if token not in sessions:
        raise HTTPException(status_code=401, detail="Unknown token")
    if "user" not in sessions[token]:
        raise HTTPException(status_code=401, detail="No user")
    return sessions[token]


@app.get("/me")
def me(session: dict[str, str] = Depends(session)):
    if "name" not in session:
        raise HTTPException(401, "No name")
    return session["name"]


@app.get("/orders")
def orders(session: dict[str, str] = Depends(session)):
    if "orders" not in session:
        raise HTTPException(401, "No orders")
    return session["orders"]


@app.get("/bills")
def bills(session: dict[str, str] = Depends(session)):
    if "bills" not in session:
        raise HTTPException(401, "No bills")
    return session["bills"]
