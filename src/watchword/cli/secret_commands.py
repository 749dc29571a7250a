"""`watchword secrets …`: what is sealed under which secret."""

import asyncio
from typing import Annotated

import typer

from watchword.cli import output

app = typer.Typer(help="What is sealed under which secret of WATCHWORD_SECRET.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def check(as_json: Json = False) -> None:
    """Tell how much is sealed under which secret; status 1 if anything is under another than the first."""
    from watchword.cli.resealing import count_sealed

    counted = asyncio.run(count_sealed())
    if as_json:
        output.print_json([row.as_dict() for row in counted])
    else:
        output.print_table("Sealed", ("What", "Secret", "Key id", "Rows"), [row.as_row() for row in counted])
    if left := sum(row.rows for row in counted if row.secret != 1):
        is_lost = any(row.secret is None for row in counted)
        before = "append the one that is missing to WATCHWORD_SECRET, then " if is_lost else ""
        output.tell(
            f"watchword: {left} are under another secret than the first: {before}run `watchword secrets reseal`"
        )
    raise typer.Exit(1 if left else 0)


@app.command()
def reseal(as_json: Json = False) -> None:
    """Seal everything under the first secret, while apps run. Run again, it goes on; status 1: something is left."""
    from watchword.cli.resealing import reseal_everything

    outcome = asyncio.run(reseal_everything())
    if as_json:
        output.print_json({"resealed": outcome.resealed, "unopened": outcome.unopened, "left": outcome.left})
    else:
        output.say(f"Sealed {outcome.resealed} anew; {outcome.left} are under another secret than the first.")
    if outcome.unopened:
        output.tell(
            f"{outcome.unopened} do not open, which `watchword secrets check` shows: "
            "append the secret that sealed them to WATCHWORD_SECRET, and run this again."
        )
    raise typer.Exit(1 if outcome.left else 0)
