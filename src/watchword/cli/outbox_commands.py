"""`watchword outbox …`."""

import asyncio
from typing import Annotated, Any
from uuid import UUID

import typer

from watchword.cli import output

app = typer.Typer(
    help="Mail, and notices of logouts to clients, that were not sent yet or were given up.", no_args_is_help=True
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List it, the oldest first: whom it is for, and what it says, is sealed."""
    from watchword.cli.database import every_mail

    entries = asyncio.run(every_mail())
    if as_json:
        output.print_json([_dict(entry) for entry in entries])
    else:
        output.print_table(
            "Outbox",
            ("Id", "Kind", "Since", "Attempts", "Next", "Last error"),
            [
                (
                    str(entry.id),
                    entry.kind,
                    output.moment(entry.created_at),
                    str(entry.attempts),
                    output.moment(entry.next_attempt_at),
                    entry.last_error or "",
                )
                for entry in entries
            ],
        )


@app.command()
def retry(
    mail_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="One mail; without it, all that were given up.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Have mail tried again, for a day. A running app sends it; links in it may have expired."""
    from watchword.cli.database import retry_mail

    number = asyncio.run(retry_mail(_mail_id(mail_id)))
    if as_json:
        output.print_json({"retried": number})
    else:
        output.say(f"{number} will be tried again.")


def _mail_id(text: str | None) -> UUID | None:
    from watchword.errors import InvalidInput

    try:
        return None if text is None else UUID(text)
    except ValueError:
        raise InvalidInput(text="the id of a mail looks like 0199e5b2-…; `watchword outbox list` shows it") from None


def _dict(entry: Any) -> dict[str, Any]:  # noqa: ANN401 — an `OutboxEntry`, which is imported when a command runs
    return {
        "id": str(entry.id),
        "kind": entry.kind,
        "attempts": entry.attempts,
        "next_attempt_at": entry.next_attempt_at.isoformat() if entry.next_attempt_at else None,
        "last_error": entry.last_error,
        "created_at": entry.created_at.isoformat(),
    }
