from fastapi import Depends, FastAPI, Form
from fastapi.responses import RedirectResponse
from fastapi.security import HTTPBasic

app = FastAPI()
NOTES: list[str] = []


@app.get("/notes", dependencies=[Depends(HTTPBasic())])
def notes() -> list[str]:
    return NOTES


@app.post("/notes")
def add(text: str = Form()) -> RedirectResponse:
    NOTES.append(text)
    return RedirectResponse("/notes", status_code=303)
