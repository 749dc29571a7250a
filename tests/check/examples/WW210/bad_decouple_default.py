from fastapi import FastAPI
from itsdangerous import URLSafeTimedSerializer
from starlette.config import Config
from starlette.datastructures import Secret

config = Config()
LINK_KEY = config("LINK_KEY", cast=Secret, default="Nordwind7")
links = URLSafeTimedSerializer(str(LINK_KEY), salt="reset")

app = FastAPI()


@app.get("/reset/{link}")
def reset(link: str) -> object:
    return links.loads(link, max_age=600)
