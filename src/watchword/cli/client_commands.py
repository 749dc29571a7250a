"""`watchword clients …`: the commands and their options."""

import asyncio
from typing import Annotated

import typer

app = typer.Typer(help="Registered OAuth clients.", no_args_is_help=True)
secrets = typer.Typer(help="A client's secrets, two at a time at most.", no_args_is_help=True)
app.add_typer(secrets, name="secrets")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ClientId = Annotated[str, typer.Argument(metavar="CLIENT_ID", help="The client's id.")]


@app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What people call it.")],
    grant: Annotated[
        list[str],
        typer.Option(metavar="GRANT", help="client_credentials, authorization_code or refresh_token; repeat it."),
    ],
    scope: Annotated[
        list[str] | None, typer.Option(metavar="SCOPE", help="What its tokens may carry at most; repeat it.")
    ] = None,
    redirect_uri: Annotated[
        list[str] | None, typer.Option(metavar="URI", help="Where codes may be sent, to the letter; repeat it.")
    ] = None,
    public: Annotated[bool, typer.Option("--public", help="It can keep no secret, as an app on a phone.")] = False,
    auth_method: Annotated[
        str | None,
        typer.Option(
            metavar="METHOD",
            help="client_secret_basic (unless said otherwise), client_secret_post, private_key_jwt or none.",
        ),
    ] = None,
    jwks: Annotated[
        str | None, typer.Option(metavar="FILE", help="Its public keys, for private_key_jwt; - is standard input.")
    ] = None,
    access_token_lifetime: Annotated[
        str | None, typer.Option(metavar="DURATION", help="Of its access tokens, such as 1h; at most 1d.")
    ] = None,
    refresh_idle_lifetime: Annotated[
        str | None, typer.Option(metavar="DURATION", help="Of its sessions, without a refresh, such as 7d.")
    ] = None,
    first_party: Annotated[
        bool, typer.Option("--first-party", help="It is the app's own: people are not asked whether it may.")
    ] = False,
    id_token_alg: Annotated[
        str, typer.Option(metavar="ALGORITHM", help="What signs its ID tokens: RS256 or ES256.")
    ] = "RS256",  # noqa: S107 — a name
    post_logout_redirect_uri: Annotated[
        list[str] | None, typer.Option(metavar="URI", help="Where a logout may lead, to the letter; repeat it.")
    ] = None,
    backchannel_logout_uri: Annotated[
        str | None, typer.Option(metavar="URI", help="Where it is told that a session has ended.")
    ] = None,
    resource: Annotated[
        list[str] | None, typer.Option(metavar="URI", help="What else it may ask tokens for; repeat it.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Register a client. Its secret is printed once."""
    from watchword.cli import clients as cli
    from watchword.cli.started import read_duration

    keys = cli.read_jwks(jwks)
    method = cli.auth_method(auth_method, is_public=public, has_keys=keys is not None)
    access_token = read_duration("--access-token-lifetime", access_token_lifetime)
    refresh_idle = read_duration("--refresh-idle-lifetime", refresh_idle_lifetime)
    client, secret = asyncio.run(
        cli.with_clients(
            lambda clients: clients.create(
                name,
                grants=grant,
                scopes=scope or (),
                redirect_uris=redirect_uri or (),
                auth_method=method,
                jwks=keys,
                access_token_lifetime=access_token,
                refresh_idle_lifetime=refresh_idle,
                is_first_party=first_party,
                id_token_algorithm=id_token_alg,
                post_logout_redirect_uris=post_logout_redirect_uri or (),
                backchannel_logout_uri=backchannel_logout_uri,
                resources=resource or (),
            )
        )
    )
    cli.print_new(client, secret, as_json=as_json)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List all clients."""
    from watchword.cli import clients as cli

    cli.print_clients(asyncio.run(cli.with_clients(cli.every_client)), as_json=as_json)


@app.command()
def show(client_id: ClientId, as_json: Json = False) -> None:
    """Show a client, and the ids of its secrets."""
    from watchword.cli import clients as cli

    client, found = asyncio.run(cli.with_clients(lambda clients: cli.client_and_secrets(clients, client_id)))
    cli.print_client(client, found, as_json=as_json)


@app.command()
def disable(client_id: ClientId, as_json: Json = False) -> None:
    """Shut a client out at once; while it is disabled, none of its tokens is good."""
    from watchword.cli import clients as cli

    client = asyncio.run(cli.with_clients(lambda clients: clients.disable(client_id)))
    cli.print_changed(client, f"Disabled {client.name}.", as_json=as_json)


@app.command()
def enable(client_id: ClientId, as_json: Json = False) -> None:
    """Let a disabled client in again."""
    from watchword.cli import clients as cli

    client = asyncio.run(cli.with_clients(lambda clients: clients.enable(client_id)))
    cli.print_changed(client, f"Enabled {client.name}.", as_json=as_json)


@app.command()
def delete(
    client_id: ClientId,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Delete a client, its secrets and its API keys; all its tokens end."""
    from watchword.cli import clients as cli
    from watchword.cli import output

    if not yes and not typer.confirm("Delete this client for good?", err=True):
        raise typer.Exit(1)
    asyncio.run(cli.with_clients(lambda clients: clients.delete(client_id)))
    if as_json:
        output.print_json({"client_id": client_id, "deleted": True})
    else:
        output.say(f"Deleted {client_id}.")


@secrets.command()
def add(
    client_id: ClientId,
    lifetime: Annotated[
        str | None, typer.Option(metavar="DURATION", help="How long it is good, such as 90d; else until removed.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make the next secret, beside the one in use. It is printed once."""
    from watchword.cli import clients as cli
    from watchword.cli.started import read_duration

    good_for = read_duration("--lifetime", lifetime)
    secret = asyncio.run(cli.with_clients(lambda clients: clients.add_secret(client_id, lifetime=good_for)))
    cli.print_new_secret(secret, as_json=as_json)


@secrets.command()
def remove(
    client_id: ClientId,
    secret_id: Annotated[str, typer.Argument(metavar="SECRET_ID", help="As `watchword clients show` has it.")],
    as_json: Json = False,
) -> None:
    """Remove a secret that nobody uses any more, or that leaked."""
    from watchword.cli import clients as cli
    from watchword.cli import output

    removed = cli.read_id(secret_id)
    asyncio.run(cli.with_clients(lambda clients: clients.remove_secret(client_id, removed)))
    if as_json:
        output.print_json({"client_id": client_id, "id": secret_id, "removed": True})
    else:
        output.say("Removed.")
