"""The `watchword` command."""

import sys


def main() -> None:
    """Run it. Whatever goes wrong is one line on standard error and status 1; bad usage is status 2."""
    from watchword.cli.commands import app

    try:
        app(prog_name="watchword")
    except Exception as error:  # the last resort: a person gets a line, never a traceback
        from watchword.errors import ConfigurationError, Refusal  # not before: `watchword check` needs nothing of ours

        match error:
            case ConfigurationError():
                raise  # a SystemExit with its one line
            case Refusal():
                sys.exit(f"watchword: {error.text}")
        sys.exit(f"watchword: unexpected {type(error).__name__}; please report how to reproduce it")
