from fastapi import FastAPI

app = FastAPI()


@app.get("/weather")
def weather(city: str) -> str:
    return city
