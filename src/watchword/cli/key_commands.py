"""`watchword keys …`: the keys that sign tokens."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from watchword.cli import output

if TYPE_CHECKING:
    from watchword.storage.signing_keys import StoredKey

app = typer.Typer(help="The keys that sign tokens.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List the keys: which signs, which will, and which signed before."""
    from watchword.cli.keys import read_keys

    _print(asyncio.run(read_keys()), as_json=as_json)


@app.command()
def rotate(as_json: Json = False) -> None:
    """Publish a next key for each algorithm. It signs once everybody has read it, some minutes later."""
    from watchword.cli.keys import rotate_keys

    _print(asyncio.run(rotate_keys()), as_json=as_json)


@app.command(context_settings={"ignore_unknown_options": True})  # an id may begin with a dash
def revoke(
    kid: Annotated[str, typer.Argument(metavar="KID", help="The key, as `watchword keys list` names it.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete a key that somebody else may have. The access tokens that it signed are refused at once."""
    from watchword.cli.keys import revoke_key

    if not yes and not typer.confirm("Refuse every access token that this key signed? Clients refresh, or log in."):
        raise typer.Exit(1)
    asyncio.run(revoke_key(kid))
    output.say(f"Revoked {kid}.")


def _print(keys: "Sequence[StoredKey]", *, as_json: bool) -> None:
    rows = [
        {
            "kid": key.sealed.kid,
            "algorithm": key.sealed.algorithm,
            "status": key.status.value,
            "created_at": key.created_at.isoformat(timespec="seconds"),
            "activated_at": key.activated_at.isoformat(timespec="seconds") if key.activated_at else None,
            "retired_at": key.retired_at.isoformat(timespec="seconds") if key.retired_at else None,
        }
        for key in keys
    ]
    if as_json:
        output.print_json(rows)
    else:
        columns = ("Key", "Algorithm", "Status", "Made", "Signs since", "Signed until")
        output.print_table("Signing keys", columns, [[value or "" for value in row.values()] for row in rows])
