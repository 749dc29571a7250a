"""What the endpoints call: the use cases of the Watchword that a request came in through."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, cast

from starlette.requests import Request

from watchword.flows.authorize import Authorize
from watchword.flows.change_client import ChangeClient
from watchword.flows.change_email import ChangeEmail
from watchword.flows.change_password import ChangePassword
from watchword.flows.client_secrets import ClientSecrets
from watchword.flows.consents import ManageConsents
from watchword.flows.create_api_key import CreateApiKey
from watchword.flows.create_client import CreateClient
from watchword.flows.delete_client import DeleteClient
from watchword.flows.delete_user import DeleteUser
from watchword.flows.end_browser_session import EndBrowserSession
from watchword.flows.end_sessions import EndSessions
from watchword.flows.enrol_totp import EnrolTotp
from watchword.flows.export_account import ExportAccount
from watchword.flows.find_client import FindClient
from watchword.flows.find_user import FindUser
from watchword.flows.introspect_token import IntrospectToken
from watchword.flows.list_api_keys import ListApiKeys
from watchword.flows.list_sessions import ListSessions
from watchword.flows.log_in_at_pages import LogInAtPages
from watchword.flows.manage_roles import ManageRoles
from watchword.flows.manage_second_factor import ManageSecondFactor
from watchword.flows.plan_logout import PlanLogout
from watchword.flows.record_events import ListEvents
from watchword.flows.register import Register
from watchword.flows.request_password_reset import RequestPasswordReset
from watchword.flows.resend_verification import ResendVerification
from watchword.flows.reset_password import ResetPassword
from watchword.flows.revoke_api_key import RevokeApiKey
from watchword.flows.revoke_token import RevokeToken
from watchword.flows.set_active import SetActive
from watchword.flows.sign_up import SignUp
from watchword.flows.step_up import StepUp
from watchword.flows.update_profile import UpdateProfile
from watchword.flows.verify_email import VerifyEmail
from watchword.flows.verify_second_factor import VerifySecondFactor
from watchword.grants import Grant
from watchword.guard.running import running
from watchword.http.pages.theme import Theme
from watchword.identity.authenticate_client import AuthenticateClient
from watchword.identity.browser_sessions import FindBrowserSession
from watchword.identity.keyring import Keyring
from watchword.identity.metadata import Metadata
from watchword.limits import Limits


@dataclass(frozen=True, slots=True)
class UseCases:
    """One field a use case.

    Attributes:
        grants: By `grant_type`.
        limits: How often one network may ask.
        keyring: Whose keys are published (RFC 7517 §5).
        metadata: What is published about this installation.
        pages: How our pages look.
        https_only: Whether credentials are refused over plain HTTP.
        app_without_dependencies: The app that we are installed in, if it puts no dependencies before all endpoints.
    """

    authenticate_client: AuthenticateClient
    grants: Mapping[str, Grant]
    register: Register
    sign_up: SignUp
    verify_email: VerifyEmail
    resend_verification: ResendVerification
    change_email: ChangeEmail
    request_password_reset: RequestPasswordReset
    reset_password: ResetPassword
    export_account: ExportAccount
    update_profile: UpdateProfile
    change_password: ChangePassword
    delete_user: DeleteUser
    find_user: FindUser
    set_active: SetActive
    manage_roles: ManageRoles
    list_events: ListEvents
    list_sessions: ListSessions
    end_sessions: EndSessions
    revoke_token: RevokeToken
    introspect_token: IntrospectToken
    create_api_key: CreateApiKey
    enrol_totp: EnrolTotp
    verify_second_factor: VerifySecondFactor
    step_up: StepUp
    manage_second_factor: ManageSecondFactor
    list_api_keys: ListApiKeys
    revoke_api_key: RevokeApiKey
    create_client: CreateClient
    find_client: FindClient
    change_client: ChangeClient
    delete_client: DeleteClient
    client_secrets: ClientSecrets
    find_browser_session: FindBrowserSession
    log_in_at_pages: LogInAtPages
    end_browser_session: EndBrowserSession
    plan_logout: PlanLogout
    authorize: Authorize
    manage_consents: ManageConsents
    limits: Limits
    keyring: Keyring
    metadata: Metadata
    pages: Theme
    https_only: bool
    app_without_dependencies: object | None


class Serving(Protocol):
    """What endpoints need of a running Watchword."""

    @property
    def use_cases(self) -> UseCases:
        """The use cases."""
        ...


def use_cases(request: Request) -> UseCases:
    """The use cases for this request.

    Raises:
        NotRunning: Watchword's lifespan did not run.
    """
    return cast("Serving", running(request)).use_cases
