"""What each login, each refresh and each first use of a token asks of the database: statements sent by themselves.

Where there is more to decide – a second factor, a refresh token that was used before – it is an ordinary transaction.
"""

from datetime import timedelta
from uuid import UUID

from watchword.model import Account, AttemptKind, Device, NewHash, Session
from watchword.storage import attempts, sessions, users
from watchword.storage.database import Database
from watchword.storage.sessions import Lifetimes, NewSession, RefreshAttempt, RotationOutcome, TokenState


async def find_account(database: Database, email_canonical: str) -> Account | None:
    """The account with this canonical address; None if there is none.

    Raises:
        StorageDown: The database does not answer.
    """
    return users.to_account_if_any(await database.send(users.find(email_canonical)))


async def blocked_for(database: Database, kind: AttemptKind, key: bytes) -> timedelta | None:
    """How long no try is heard; zero where one is but some have failed, None where none has.

    Raises:
        StorageDown: The database does not answer.
    """
    row = await database.send(attempts.find(kind, key))
    return None if row is None else attempts.to_wait(row)


async def open_session(
    database: Database, verified: Account, new: NewSession, lifetimes: Lifetimes, *, rehashed: NewHash | None
) -> Session | None:
    """Complete a login by a session. None, and nothing is changed, if the account changed since it was read or is gone.

    Raises:
        StorageDown: The database does not answer; it may have been done or not.
    """
    # The first locks the account's row: nobody disables the user between this check and the session.
    row = await database.send(users.record_login(verified, rehashed=rehashed), sessions.add(new, verified, lifetimes))
    return None if row is None else sessions.to_session(row)


async def is_on_a_new_device(database: Database, session_id: UUID, user_id: UUID, device: Device) -> bool:
    """Whether a session's user has others, and none of them was last used from this device.

    Never of one that came from a login at our pages: there the user was told, and the device is the client's.

    Raises:
        StorageDown: The database does not answer.
    """
    row = await database.send(sessions.is_on_a_new_device(session_id, user_id, device))
    return row is not None and bool(row.is_new)


async def rotate(database: Database, attempt: RefreshAttempt) -> RotationOutcome:
    """Trade a refresh token for its successor; what is returned is committed, a revocation after a reuse too.

    Raises:
        StorageDown: It cannot be decided now. It may have been rotated: within the leeway, the same token still gets
            its successor.
    """
    row = await database.send(attempt.call)
    if row is not None:
        return attempt.rotated(row)
    async with database.transaction() as stores:  # it tries again, then reads why it was not rotated
        return await stores.sessions.rotate(attempt)


async def token_state(database: Database, session_id: UUID, token_id: str) -> TokenState | None:
    """What there is to know of an access token; None where there is no such session.

    Raises:
        StorageDown: The database does not answer.
    """
    row = await database.send(sessions.token_state(session_id, token_id))
    return None if row is None else sessions.to_token_state(row)
