import hashlib

from fastapi import FastAPI

app = FastAPI()


def cache_key(params: dict[str, str]) -> str:
    azure_password = params["azure_password"]
    smtp_password = params["smtp_password"]
    digest = hashlib.sha256(azure_password.encode())
    digest.update(smtp_password.encode())
    return digest.hexdigest()
