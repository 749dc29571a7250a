"""Somebody else's code, run for its app alone; what it raises becomes a sentence."""

import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NoReturn
from unittest import mock

from watchword.check.errors import CheckError

_LONGEST: Final = 300
_FORM: Final = re.compile(r"Invalid args for response field.*OAuth2PasswordRequestForm", re.DOTALL)
_FORM_HINT: Final = " – WW104: the form is no model, write `form: Annotated[OAuth2PasswordRequestForm, Depends()]`"
_SETTINGS: Final = " – set what it needs to start, such as environment variables, and run this again"


@contextmanager
def explaining(doing: str) -> Iterator[None]:
    """Run what an app does when it is imported or made.

    It sees no arguments of ours, and a server that it would start is not started.

    Raises:
        CheckError: It raised something: what, where, and what can be done about it.
    """
    try:
        with mock.patch.object(sys, "argv", sys.argv[:1]), _serving_nothing():
            yield
    except (CheckError, KeyboardInterrupt):
        raise
    except BaseException as error:  # noqa: BLE001 — whatever somebody's module raises, SystemExit and pytest's Skipped too
        raise CheckError(f"{doing} failed: {_what(error)}{_where(error)}{_hint(error)}") from None


@contextmanager
def _serving_nothing() -> Iterator[None]:
    try:
        import uvicorn
    except ImportError:
        yield
        return

    def refuse(*_: Any, **__: Any) -> NoReturn:  # noqa: ANN401 — whatever uvicorn.run takes
        raise CheckError("the app starts a server when it is imported: put that under `if __name__ == '__main__':`")

    with mock.patch.object(uvicorn, "run", refuse), mock.patch.object(uvicorn.Server, "run", refuse):
        yield


def _what(error: BaseException) -> str:
    """Its name and text, in one line; of settings that pydantic refuses, not the values: they may be secret."""
    kind = type(error).__name__
    errors = getattr(error, "errors", None)
    text = str(error)
    if callable(errors) and hasattr(error, "title"):
        fields = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in errors(include_input=False)]
        text = f"{error.title}: {'; '.join(fields)}"
    elif isinstance(error, SyntaxError):
        text = error.msg
    text = " ".join(text.split())
    short = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return f"{kind}: {short}" if short else kind


def _where(error: BaseException) -> str:
    """The last line of theirs that it passed."""
    if isinstance(error, SyntaxError) and error.filename:
        return f" ({error.filename}:{error.lineno})"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not _is_importing(frame.filename)]
    own = [frame for frame in frames if "site-packages" not in Path(frame.filename).parts] or frames
    return f" ({own[-1].filename}:{own[-1].lineno})" if own else ""


def _is_importing(filename: str) -> bool:
    ours = Path(__file__).parent
    path = Path(filename)
    return filename.startswith("<") or path.parent == ours or path.parent.name == "importlib"


def _hint(error: BaseException) -> str:
    match error:
        case ModuleNotFoundError():
            return " – run this in the app's environment, and in the folder from which it is started"
        case SyntaxError() | ImportError() | NameError():
            return ""
    return _FORM_HINT if _FORM.search(str(error)) else _SETTINGS
