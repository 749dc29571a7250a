from fastapi import FastAPI, Response
from fastapi.middleware.cors import CORSMiddleware

app = FastAPI()
app.add_middleware(
    CORSMiddleware,
    allow_origins=["https://shop.example.com"],
    allow_origin_regex=r"https://[\w-]+\.shop\.example\.com",
    allow_credentials=True,
    allow_methods=["*"],
)


@app.post("/login")
def login(response: Response) -> None:
    response.set_cookie("session", "value")
