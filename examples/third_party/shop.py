"""Somebody else's app, which logs people in through ours (OpenID Connect, authorization code + PKCE)."""

import os
import secrets

from authlib.integrations.starlette_client import OAuth, OAuthError
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.middleware.sessions import SessionMiddleware

app = FastAPI()
app.add_middleware(SessionMiddleware, secret_key=secrets.token_urlsafe(32))

oauth = OAuth()
oauth.register(
    "watchword",
    server_metadata_url=f"{os.environ['SHOP_ISSUER']}/.well-known/openid-configuration",
    client_id=os.environ["SHOP_CLIENT_ID"],
    client_secret=os.environ["SHOP_CLIENT_SECRET"],
    client_kwargs={"scope": "openid email orders:read", "code_challenge_method": "S256"},
)


@app.get("/")
async def home(request: Request) -> HTMLResponse:
    """Say who is logged in."""
    email = request.session.get("email")
    if email is None:
        return HTMLResponse('<a href="/login">Log in</a>')
    return HTMLResponse(f"<p>Hello, {email}</p>")


@app.get("/login")
async def login(request: Request) -> RedirectResponse:
    """Send the browser to our login."""
    redirect: RedirectResponse = await oauth.watchword.authorize_redirect(request, request.url_for("callback"))
    return redirect


@app.get("/callback")
async def callback(request: Request) -> Response:
    """Trade the code for tokens; Authlib checks state, nonce, PKCE, and the ID token."""
    try:
        tokens = await oauth.watchword.authorize_access_token(request)
    except OAuthError as error:
        return HTMLResponse(f"<p>Not logged in: {error.error}</p>", 400)
    claims = await oauth.watchword.userinfo(token=tokens)
    request.session["email"] = claims["email"]
    return RedirectResponse("/")
