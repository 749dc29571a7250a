from functools import partial

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer

bearer = OAuth2PasswordBearer(tokenUrl="token")
ROLES: dict[str, str] = {}
app = FastAPI()


def require_role(role: str, token: str = Depends(bearer)) -> None:
    if ROLES.get(token) != role:
        raise HTTPException(status_code=403, detail="Not enough permissions")


require_admin = partial(require_role, role="admin")


@app.delete("/orders/{id}", dependencies=[Depends(require_admin)])
def delete(id: int) -> None: ...
