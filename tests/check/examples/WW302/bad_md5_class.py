from hashlib import md5

from fastapi import FastAPI

app = FastAPI()


class Hash:
    @staticmethod
    def check_password(plain: str, kept: str) -> bool:
        return md5(plain.encode("utf-8")).hexdigest() == kept


@app.get("/check")
def check(plain: str, kept: str) -> bool:
    return Hash.check_password(plain, kept)
