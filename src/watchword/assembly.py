"""The composition root: everything is built here, once, and handed what it needs."""

import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, nullcontext
from dataclasses import dataclass, field, replace
from typing import Final, Generic

from watchword.background import Bell
from watchword.crypto.passwords import PasswordHasher
from watchword.crypto.refresh_tokens import RefreshTokenKeys
from watchword.crypto.sealing import Sealer, derive
from watchword.deny_list import DenyList
from watchword.errors import ConfigurationError
from watchword.events import Events
from watchword.facades import ApiKeys, Clients, Roles, Sessions, Users
from watchword.feed import Feed
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
from watchword.flows.manage_outbox import ManageOutbox
from watchword.flows.manage_roles import ManageRoles
from watchword.flows.manage_second_factor import ManageSecondFactor
from watchword.flows.plan_logout import PlanLogout
from watchword.flows.prune import Prune, pruning
from watchword.flows.record_api_key_uses import RecordApiKeyUses, recording
from watchword.flows.record_events import ListEvents, RecordEvents
from watchword.flows.register import Register
from watchword.flows.request_password_reset import RequestPasswordReset
from watchword.flows.resend_verification import ResendVerification
from watchword.flows.reset_password import ResetPassword
from watchword.flows.revoke_api_key import RevokeApiKey
from watchword.flows.revoke_token import RevokeToken
from watchword.flows.send_logout_notices import SendLogoutNotices, telling_clients
from watchword.flows.send_mail import SendMail, sending
from watchword.flows.set_active import SetActive
from watchword.flows.sign_up import SignUp
from watchword.flows.step_up import StepUp
from watchword.flows.tell_users import TellUsers
from watchword.flows.update_profile import UpdateProfile
from watchword.flows.verify_email import VerifyEmail
from watchword.flows.verify_second_factor import VerifySecondFactor
from watchword.grants import authorization_code, client_credentials, password, refresh_token
from watchword.grants.authorization_code import AuthorizationCodeGrant
from watchword.grants.client_credentials import ClientCredentialsGrant
from watchword.grants.password import PasswordGrant
from watchword.grants.refresh_token import RefreshTokenGrant
from watchword.guard.remembered import RememberingVerifier
from watchword.http.pages.texts import LANGUAGES
from watchword.http.pages.theme import Theme
from watchword.http.use_cases import UseCases
from watchword.identity.api_key_uses import ApiKeyUses
from watchword.identity.attempts import Attempts
from watchword.identity.authenticate_client import AuthenticateClient
from watchword.identity.authenticate_user import AuthenticateUser
from watchword.identity.backchannel import tell
from watchword.identity.breached_passwords import BreachedPasswords
from watchword.identity.browser_sessions import FindBrowserSession, OpenBrowserSession
from watchword.identity.current_password import CheckCurrentPassword
from watchword.identity.even_time import EvenTime
from watchword.identity.failure_time import FailureTime
from watchword.identity.hashing import HashingPool
from watchword.identity.id_tokens import VerifyIdToken
from watchword.identity.issue import IssueTokens, TokenRules
from watchword.identity.keyring import Keyring
from watchword.identity.links import Links
from watchword.identity.metadata import Metadata
from watchword.identity.open_session import OpenSession
from watchword.identity.outbox import Outbox
from watchword.identity.password_policy import PasswordPolicy
from watchword.identity.pending import SuspendLogin, VerifyPending
from watchword.identity.reauthenticate import Reauthenticate
from watchword.identity.scopes import ScopeCatalogue
from watchword.identity.second_factor import CheckCode, SecondFactorPolicy
from watchword.identity.secret_file import secrets_in_force
from watchword.identity.verify import VerifyCredential
from watchword.identity.verify_api_key import VerifyApiKey
from watchword.identity.verify_client import VerifyClientToken
from watchword.limits import Limits
from watchword.mail import Mailer
from watchword.mail.console import ConsoleMailer
from watchword.mail.smtp import SmtpMailer
from watchword.mail.templates import Templates
from watchword.model import P
from watchword.settings import EmailVerification, SecondFactor, Settings
from watchword.storage import Database, open_database
from watchword.storage.schema import require_current, upgrade
from watchword.storage.sessions import Lifetimes
from watchword.storage.signals import signals_of

_REMEMBERED_CLIENTS: Final = 1000


@dataclass(frozen=True, slots=True)
class Assembled(Generic[P]):
    """What exists between start and end."""

    use_cases: UseCases
    verify_credential: RememberingVerifier
    verify_pending: VerifyPending
    open_session: OpenSession
    users: Users[P]
    sessions: Sessions
    roles: Roles[P]
    api_keys: ApiKeys
    clients: Clients
    outbox: ManageOutbox
    storage: Database
    feed: Feed
    limits: Limits


@dataclass(frozen=True, slots=True)
class _Ground:
    """What the use cases stand on; what runs in the background runs."""

    storage: Database
    secrets: Sequence[bytes] = field(repr=False)
    sealer: Sealer
    keyring: Keyring
    hashing: HashingPool
    feed: Feed
    outbox: Outbox
    api_key_uses: ApiKeyUses
    limits: Limits


async def assemble(
    settings: Settings,
    *,
    profile: type[P],
    scopes: ScopeCatalogue,
    events: Events,
    app_without_dependencies: object | None,
    mailer: Mailer | None,
    sends: bool,
    stack: AsyncExitStack,
) -> Assembled[P]:
    """Open the database and the keys, start what runs in the background, and build the use cases.

    Args:
        settings: What is in force.
        profile: The host's model of a profile.
        scopes: What the host declares.
        events: Who wants to hear of what.
        app_without_dependencies: See `UseCases`.
        mailer: What sends mail, if anything does.
        sends: Whether this process sends what is in the outbox.
        stack: Ends it all.

    Raises:
        ConfigurationError: It cannot start; the message says what to set or run.
        StorageDown: The database does not answer.
    """
    ground = await _lay_ground(settings, events, mailer, stack, sends=sends)
    storage, keyring, feed, limits = ground.storage, ground.keyring, ground.feed, ground.limits
    hashing, outbox = ground.hashing, ground.outbox

    endpoints = f"{settings.issuer}{settings.prefix}"
    rules = TokenRules(
        settings.issuer, settings.audience, settings.access_token_lifetime, settings.access_token_algorithm, endpoints
    )
    refresh_keys = RefreshTokenKeys.from_secrets(ground.secrets)
    issue = IssueTokens(keyring, refresh_keys, rules, time.time)
    bell = Bell()
    if sends:
        feed.on_arrival(lambda _revoked: bell.ring())  # some of it may be sessions that clients are told of
        await stack.enter_async_context(telling_clients(SendLogoutNotices(storage, issue, tell, events, bell)))
    leeway = settings.clock_leeway.total_seconds()
    verify_api_key = VerifyApiKey(storage, scopes, ground.api_key_uses)
    verify_pending = VerifyPending(storage, keyring, rules, leeway, time.time)
    verify = VerifyCredential(
        storage, keyring, rules, scopes, leeway, time.time, VerifyClientToken(storage), verify_api_key, verify_pending
    )
    verify_id_token = VerifyIdToken(storage, keyring, settings.issuer, leeway, time.time)
    verify_any = replace(verify, any_audience=True)
    authenticate_client = AuthenticateClient(
        storage,
        feed,
        events,
        limits,
        audiences={settings.issuer, f"{endpoints}/token"},
        leeway=leeway,
        size=min(settings.remembered_tokens, _REMEMBERED_CLIENTS),
        clock=time.time,
    )
    lifetimes = Lifetimes(settings.refresh_idle_lifetime, settings.refresh_absolute_lifetime)
    open_session = OpenSession(storage, issue, lifetimes, events)
    open_browser_session = OpenBrowserSession(
        storage,
        Lifetimes(settings.browser_session_idle_lifetime, settings.browser_session_absolute_lifetime),
        events,
    )
    suspend_login = SuspendLogin(storage, issue)
    attempts = Attempts(storage, derive(ground.secrets[0], "attempts"), settings.attempt_policies, events)
    check_code = CheckCode(storage, ground.sealer, attempts, events, time.time)
    authenticate_user = AuthenticateUser(
        storage,
        hashing,
        FailureTime(storage, hashing),
        attempts,
        check_code,
        only_verified=settings.email_verification is EmailVerification.REQUIRED,
    )
    check_password = CheckCurrentPassword(attempts)
    reauthenticate = Reauthenticate(storage, hashing, check_password, check_code)
    second_factor_policy = _second_factor_policy(settings)
    manage_second_factor = ManageSecondFactor(storage, reauthenticate, second_factor_policy, events)
    manage_roles = await _open_roles(settings, storage, events)
    links, policy = _links(settings), _policy(settings)
    register = Register(storage, hashing, policy, profile, events, settings.default_roles)
    even_time = EvenTime()
    request_password_reset = RequestPasswordReset(storage, links, outbox, events, even_time)
    update_profile, delete_user = UpdateProfile(storage, profile), DeleteUser(storage, events)
    find_user, set_active = FindUser(storage), SetActive(storage, events)
    list_sessions, end_sessions = ListSessions(storage), EndSessions(storage, events)
    create_api_key = CreateApiKey(storage, scopes, settings.api_key_max_lifetime, events)
    list_api_keys, revoke_api_key = ListApiKeys(storage), RevokeApiKey(storage, events)
    create_client, find_client = CreateClient(storage, events), FindClient(storage)
    change_client, delete_client = ChangeClient(storage, events), DeleteClient(storage, events)
    client_secrets = ClientSecrets(storage, events, time.time)
    return Assembled(
        use_cases=UseCases(
            authenticate_client=authenticate_client,
            grants={
                password.NAME: PasswordGrant(
                    authenticate_user, scopes, open_session, suspend_login, second_factor_policy, events
                ),
                refresh_token.NAME: RefreshTokenGrant(
                    storage,
                    scopes,
                    refresh_keys,
                    issue,
                    events,
                    settings.refresh_idle_lifetime,
                    settings.refresh_leeway,
                ),
                client_credentials.NAME: ClientCredentialsGrant(scopes, issue, events),
                **(
                    {authorization_code.NAME: AuthorizationCodeGrant(storage, scopes, issue, lifetimes, events)}
                    if settings.pages
                    else {}
                ),
            },
            register=register,
            sign_up=SignUp(storage, hashing, policy, profile, links, outbox, even_time),
            verify_email=VerifyEmail(storage, links, outbox, events, settings.default_roles, settings.notices),
            resend_verification=ResendVerification(storage, links, outbox, even_time),
            change_email=ChangeEmail(storage, reauthenticate, links, outbox, events),
            request_password_reset=request_password_reset,
            reset_password=ResetPassword(storage, hashing, policy, links, attempts, events),
            export_account=ExportAccount(storage),
            update_profile=update_profile,
            change_password=ChangePassword(storage, hashing, policy, check_password, events),
            delete_user=delete_user,
            find_user=find_user,
            set_active=set_active,
            manage_roles=manage_roles,
            list_events=ListEvents(storage),
            list_sessions=list_sessions,
            end_sessions=end_sessions,
            revoke_token=RevokeToken(storage, refresh_keys, verify_any, events, time.time),
            introspect_token=IntrospectToken(storage, refresh_keys, verify_any, rules),
            create_api_key=create_api_key,
            enrol_totp=EnrolTotp(
                storage,
                reauthenticate,
                check_code,
                scopes,
                open_session,
                open_browser_session,
                events,
                settings.product,
            ),
            verify_second_factor=VerifySecondFactor(check_code, scopes, open_session, open_browser_session),
            step_up=StepUp(storage, reauthenticate, check_code, issue, events),
            manage_second_factor=manage_second_factor,
            list_api_keys=list_api_keys,
            revoke_api_key=revoke_api_key,
            create_client=create_client,
            find_client=find_client,
            change_client=change_client,
            delete_client=delete_client,
            client_secrets=client_secrets,
            find_browser_session=FindBrowserSession(storage, settings.browser_session_idle_lifetime),
            log_in_at_pages=LogInAtPages(
                authenticate_user, open_browser_session, suspend_login, second_factor_policy, events
            ),
            end_browser_session=EndBrowserSession(storage, events, bell),
            plan_logout=PlanLogout(storage, verify_id_token),
            authorize=Authorize(
                storage,
                scopes,
                verify_id_token,
                settings.issuer,
                settings.browser_session_idle_lifetime,
                time.time,
            ),
            manage_consents=ManageConsents(storage, events),
            limits=limits,
            keyring=keyring,
            metadata=Metadata(
                settings.issuer, endpoints, settings.audience, scopes, frozenset(profile.model_fields), LANGUAGES
            ),
            pages=Theme.of(
                settings,
                form_keys=[derive(secret, "csrf") for secret in ground.secrets],
                sends_mail=mailer is not None,
            ),
            https_only=settings.is_production,
            app_without_dependencies=app_without_dependencies,
        ),
        verify_credential=RememberingVerifier(verify, feed, profile=profile, size=settings.remembered_tokens),
        verify_pending=verify_pending,
        open_session=open_session,
        storage=storage,
        feed=feed,
        limits=limits,
        users=Users(
            profile,
            register,
            find_user,
            update_profile,
            set_active,
            delete_user,
            request_password_reset,
            manage_second_factor,
        ),
        sessions=Sessions(list_sessions, end_sessions),
        roles=Roles(profile, manage_roles),
        api_keys=ApiKeys(create_api_key, list_api_keys, revoke_api_key),
        clients=Clients(create_client, find_client, change_client, delete_client, client_secrets),
        outbox=ManageOutbox(storage),
    )


async def _lay_ground(
    settings: Settings, events: Events, mailer: Mailer | None, stack: AsyncExitStack, *, sends: bool
) -> _Ground:
    storage = open_database(settings)
    stack.push_async_callback(storage.close)
    if settings.is_production:
        await require_current(storage)
    else:
        await upgrade(storage)
    secrets = secrets_in_force(settings)
    sealer = Sealer.from_secrets(secrets)
    keyring = Keyring.of(settings, storage, sealer)
    await keyring.turn()
    hashing = HashingPool(
        PasswordHasher(settings.password_cost), threads=settings.hashing_threads, queue=settings.hashing_queue
    )
    stack.callback(hashing.close)
    feed = await _follow_revocations(settings, storage, stack)
    await stack.enter_async_context(keyring.turning(feed))
    await stack.enter_async_context(pruning(Prune(storage, settings.events_kept_for)))
    if settings.events_kept_for:
        stack.enter_context(events.kept_by(RecordEvents(storage)))
    outbox = Outbox(sealer)
    if mailer is not None:
        if settings.notices:
            stack.enter_context(TellUsers(storage, outbox).listening(events))
        send_mail = SendMail(storage, outbox, _templates(settings), mailer, events)
        await stack.enter_async_context(sending(send_mail) if sends else nullcontext())
    api_key_uses = ApiKeyUses()
    await stack.enter_async_context(recording(RecordApiKeyUses(storage, api_key_uses)))

    limits = _limits(settings)
    stack.push_async_callback(limits.close)

    return _Ground(storage, secrets, sealer, keyring, hashing, feed, outbox, api_key_uses, limits)


def _limits(settings: Settings) -> Limits:
    redis_url = settings.redis_url.get_secret_value() if settings.redis_url is not None else None
    return Limits(settings.rates, redis_url=redis_url, issuer=settings.issuer)


def mailer_of(settings: Settings) -> Mailer | None:
    """What sends mail by the settings. Production without any has none; development writes to the log."""
    if settings.mail_url is not None:
        return SmtpMailer.of(settings.mail_url.get_secret_value())
    return None if settings.is_production else ConsoleMailer()


def _templates(settings: Settings) -> Templates:
    templates = Templates(settings.mail_templates, settings.sender, settings.product)
    templates.check()
    return templates


def _policy(settings: Settings) -> PasswordPolicy:
    return PasswordPolicy(
        settings.password_min_length,
        BreachedPasswords(settings.breached_passwords_url) if settings.breached_passwords_url else None,
    )


def _second_factor_policy(settings: Settings) -> SecondFactorPolicy:
    return SecondFactorPolicy(settings.second_factor is SecondFactor.REQUIRED, frozenset(settings.second_factor_roles))


def _links(settings: Settings) -> Links:
    pages = f"{settings.issuer}{settings.prefix}"
    return Links(
        settings.email_verification_url or f"{pages}/verify#token={{token}}",
        settings.password_reset_url or f"{pages}/reset#token={{token}}",
    )


async def _open_roles(settings: Settings, storage: Database, events: Events) -> ManageRoles:
    """Make the roles of the settings, and see that there are those that other settings name."""
    manage_roles = ManageRoles(storage, events, settings.default_role or None)
    await manage_roles.seed(settings.roles)
    if settings.default_role and not await manage_roles.exists(settings.default_role):
        raise ConfigurationError(
            f"WATCHWORD_DEFAULT_ROLE is {settings.default_role}, and there is no such role: name it in WATCHWORD_ROLES"
        )
    for role in sorted(settings.second_factor_roles):
        if not await manage_roles.exists(role):
            raise ConfigurationError(
                f"WATCHWORD_SECOND_FACTOR_ROLES has {role}, and there is no such role: name it in WATCHWORD_ROLES"
            )
    return manage_roles


async def _follow_revocations(settings: Settings, storage: Database, stack: AsyncExitStack) -> Feed:
    # A connection of its own: the pool of the requests may be in use to the last one.
    followed = storage if storage.is_in_memory else open_database(settings, direct=True)
    stack.push_async_callback(followed.close)
    feed = Feed(
        signals_of(followed),
        staleness=settings.revocation_staleness.total_seconds(),
        forget_after=storage.revocations_kept_for.total_seconds(),
    )
    storage.on_revoked(feed.apply)
    if settings.redis_url is not None:
        deny_list = DenyList(settings.redis_url.get_secret_value(), issuer=settings.issuer, storage=storage)
        feed.on_arrival(deny_list.put)
        await stack.enter_async_context(deny_list.exporting())
    await stack.enter_async_context(feed.following())
    return feed
