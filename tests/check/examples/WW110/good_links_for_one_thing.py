from fastapi import FastAPI, HTTPException

app = FastAPI()
SENT: set[str] = set()


@app.get("/verify-email")
def verify_email(token: str) -> str:
    if token not in SENT:
        raise HTTPException(status_code=401, detail="Invalid token")
    return "verified"


@app.get("/invoices/{id}/download")
def download(id: int, token: str) -> str:
    if token not in SENT:
        raise HTTPException(status_code=403)
    return "the invoice"


@app.post("/newsletter/unsubscribe")
def unsubscribe(token: str) -> None:
    if token not in SENT:
        raise HTTPException(status_code=403)
