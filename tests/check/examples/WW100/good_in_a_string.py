"""How to leave a finding out: `# watchword: ignore[WW203]` and a reason."""

from fastapi import FastAPI

HELP = """
    return jwt.decode(token, key)  # watchword: ignore[WW203]
"""
app = FastAPI(description=HELP)  # noqa: E501 # our watchword: ignore[WW203] is told in HELP


@app.get("/help")
def help_() -> str:
    return HELP
