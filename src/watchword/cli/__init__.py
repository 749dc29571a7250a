"""The `watchword` command."""

import sys


def main() -> None:
    """Run it. Whatever goes wrong is one line on standard error and status 1; bad usage is status 2."""
    from watchword.cli.commands import app
    from watchword.errors import ConfigurationError, Refusal

    try:
        app(prog_name="watchword")
    except ConfigurationError:
        raise  # a SystemExit with its one line
    except Refusal as refusal:
        sys.exit(f"watchword: {refusal.text}")
    except Exception as error:  # noqa: BLE001 — the last resort: a person gets a line, never a traceback
        sys.exit(f"watchword: unexpected {type(error).__name__}; please report how to reproduce it")
