"""The one bare 401 is about a file that the server itself may not read."""

from pathlib import Path

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPBearer

app = FastAPI()


@app.get("/files/{name}", dependencies=[Depends(HTTPBearer())])
def read(name: str) -> str:
    try:
        return (Path("/srv/files") / Path(name).name).read_text()
    except FileNotFoundError:
        raise HTTPException(404) from None
    except PermissionError:
        raise HTTPException(status_code=401) from None
