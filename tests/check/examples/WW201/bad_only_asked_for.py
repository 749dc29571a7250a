from fastapi import APIRouter, Depends, FastAPI, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

security = HTTPBearer()
router = APIRouter(prefix="/reports", dependencies=[Depends(security)])


@router.get("/")
async def reports(credentials: HTTPAuthorizationCredentials = Security(security)):
    return {"scheme": credentials.scheme, "reports": []}


@router.delete("/{report_id}", status_code=204)
async def remove(report_id: int) -> None:
    return None


app = FastAPI()
app.include_router(router)
