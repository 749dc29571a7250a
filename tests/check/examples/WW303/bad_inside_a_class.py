from fastapi import FastAPI

app = FastAPI()


class Passwords:
    def __init__(self) -> None:
        from passlib.context import CryptContext

        self.context = CryptContext(schemes=["argon2"])

    def verify(self, password: str, kept: str) -> bool:
        from passlib.hash import argon2

        return self.context.verify(password, kept) or argon2.verify(password, kept)
