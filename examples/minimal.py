from fastapi import FastAPI

from watchword import CurrentUser, Watchword

app = FastAPI()
Watchword().install(app)


@app.get("/orders")
async def orders(user: CurrentUser) -> dict[str, str]:
    return {"orders_of": user.email}
