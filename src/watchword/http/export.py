"""What `GET /me/export` answers."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from watchword.flows.export_account import AccountExport
from watchword.http.bodies import JsonAnswer
from watchword.http.responses import ConsentAnswer, UserAnswer
from watchword.model import ApiKey, BrowserSession, Session


class ExportedSession(JsonAnswer):
    """A login on a device."""

    id: UUID
    client_id: str
    scopes: list[str]
    amr: list[str]
    user_agent: str | None
    address: str | None
    created_at: datetime
    last_used_at: datetime
    ends_at: datetime

    @classmethod
    def of(cls, session: Session) -> Self:
        """A session."""
        return cls(**{**_told(cls, session), "scopes": sorted(session.scopes)})


class ExportedBrowserSession(JsonAnswer):
    """A login at our own pages."""

    id: UUID
    amr: list[str]
    user_agent: str | None
    address: str | None
    created_at: datetime
    last_used_at: datetime
    ends_at: datetime

    @classmethod
    def of(cls, session: BrowserSession) -> Self:
        """A login."""
        return cls(**_told(cls, session))


class ExportedApiKey(JsonAnswer):
    """An API key, without what is presented."""

    id: UUID
    hint: str
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None

    @classmethod
    def of(cls, key: ApiKey) -> Self:
        """A key."""
        return cls(**{**{name: getattr(key, name) for name in cls.model_fields}, "scopes": sorted(key.scopes)})


class ExportedLink(JsonAnswer):
    """A link that was mailed and not followed yet, without its token."""

    purpose: str
    email: str
    created_at: datetime
    expires_at: datetime


class ExportedEvent(JsonAnswer):
    """Something that happened to the user."""

    name: str
    at: datetime
    fields: dict[str, Any]


class ExportAnswer(JsonAnswer):
    """All that is held about a user, save secrets."""

    account: UserAnswer
    sessions: list[ExportedSession]
    browser_sessions: list[ExportedBrowserSession]
    api_keys: list[ExportedApiKey]
    consents: list[ConsentAnswer]
    links: list[ExportedLink]
    events: list[ExportedEvent]

    @classmethod
    def of(cls, export: AccountExport) -> Self:
        """What was collected."""
        return cls(
            account=UserAnswer.of(export.account),
            sessions=[ExportedSession.of(session) for session in export.sessions],
            browser_sessions=[ExportedBrowserSession.of(session) for session in export.browser_sessions],
            api_keys=[ExportedApiKey.of(key) for key in export.api_keys],
            consents=[ConsentAnswer.model_validate(consent, from_attributes=True) for consent in export.consents],
            links=[ExportedLink.model_validate(link, from_attributes=True) for link in export.links],
            events=[ExportedEvent.model_validate(event, from_attributes=True) for event in export.events],
        )


def _told(answer: type[JsonAnswer], session: Session | BrowserSession) -> dict[str, Any]:
    known = {name: getattr(session, name) for name in answer.model_fields if hasattr(session, name)}
    device = {"user_agent": session.device.user_agent, "address": session.device.address}
    return {**known, **device, "amr": list(session.amr)}
