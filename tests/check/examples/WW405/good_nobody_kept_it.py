from fastapi import FastAPI

app = FastAPI()


@app.delete("/orders")
def delete() -> None: ...
