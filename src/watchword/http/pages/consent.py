"""`/consent`: whether a client may have what it asks for. `/account/apps`: what was allowed, and taking it back."""

from collections.abc import Callable
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from watchword.errors import InvalidRequest, NotFound
from watchword.events import By
from watchword.http.device import device_of
from watchword.http.forms import read_authorization_query
from watchword.http.pages.cookies import logged_in
from watchword.http.pages.form_tokens import read_page_form
from watchword.http.pages.render import address, page
from watchword.http.pages.route import PageRoute
from watchword.http.pages.texts import texts_for
from watchword.http.use_cases import use_cases
from watchword.identity.authorization import after_consent
from watchword.model import BrowserSession

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/consent")
async def show_consent(request: Request) -> Response:
    """Who asks, for what, and where the answer leads."""
    session = await logged_in(request)
    use = use_cases(request)
    question = await use.authorize.question(read_authorization_query(request), session)
    user = await use.find_user.by_id(session.user_id)
    if user is None:
        raise NotFound(f"user {session.user_id} is gone")
    return page(
        request, "consent.html", session=session, question=question, email=user.email, scope_text=_scope_text(request)
    )


@router.post("/consent")
async def answer_consent(request: Request) -> Response:
    """Note what was allowed and go on, or tell the client that it was not."""
    session = await logged_in(request)
    form, use, parameters = (
        await read_page_form(request, session),
        use_cases(request),
        read_authorization_query(request),
    )
    answer = form.required("answer")
    if answer == "deny":
        return page(request, "continue.html", next=(await use.authorize.denied(parameters)).uri)
    if answer != "allow":
        raise InvalidRequest("an answer that is neither")
    question = await use.authorize.question(parameters, session)
    await use.manage_consents.grant(session.user_id, question, by=By(device=device_of(request)))
    return page(request, "continue.html", next=address(request, "/authorize", urlencode(after_consent(parameters))))


@router.get("/account/apps")
async def show_apps(request: Request) -> Response:
    """What the user has allowed."""
    return await _apps(request, await logged_in(request))


@router.post("/account/apps")
async def revoke(request: Request) -> Response:
    """Take it back from one client."""
    session = await logged_in(request)
    form, by = await read_page_form(request, session), By(device=device_of(request))
    await use_cases(request).manage_consents.revoke(session.user_id, form.required("client_id"), by=by)
    return await _apps(request, session, notice=texts_for(request)("apps.revoked"))


async def _apps(request: Request, session: BrowserSession, *, notice: str | None = None) -> Response:
    use = use_cases(request)
    return page(
        request,
        "apps.html",
        session=session,
        notice=notice,
        consents=await use.manage_consents.page(session.user_id),
        describe=use.authorize.scopes.describe,
        scope_text=_scope_text(request),
    )


def _scope_text(request: Request) -> Callable[[str, str], str]:
    """A scope in words: OpenID's in ours, the app's in the app's, or its name."""
    t = texts_for(request)
    return lambda name, description: t(f"scope.{name}") if f"scope.{name}" in t.texts else description or name
