"""The commands and their options. What a command needs is imported when it runs, so that `--help` is quick."""

import asyncio
import dataclasses
from typing import Annotated

import typer

from watchword.cli import check_commands, client_commands, key_commands, outbox_commands, output, secret_commands

app = typer.Typer(
    help="Authentication for FastAPI backends that own their users.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
db = typer.Typer(help="The database schema.", no_args_is_help=True)
users = typer.Typer(help="Accounts.", no_args_is_help=True)
api_keys = typer.Typer(help="Keys for programs, of users and of clients.", no_args_is_help=True)
app.add_typer(db, name="db")
app.add_typer(users, name="users")
app.add_typer(api_keys, name="api-keys")
roles = typer.Typer(help="Roles: named sets of scopes.", no_args_is_help=True)
app.add_typer(roles, name="roles")
app.add_typer(client_commands.app, name="clients")
app.add_typer(outbox_commands.app, name="outbox")
app.add_typer(key_commands.app, name="keys")
app.add_typer(secret_commands.app, name="secrets")
app.command()(check_commands.check)
app.command()(check_commands.rules)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The user's email.")]


def _version(wanted: bool) -> None:  # noqa: FBT001 — Typer's callback
    if wanted:
        from importlib.metadata import version

        typer.echo(f"watchword {version('watchword')}")
        raise typer.Exit


@app.callback()
def root(
    _version_: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Authentication for FastAPI backends that own their users."""


@app.command()
def demo(
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, metavar="N", help="Default: 8000, or a free one.")
    ] = None,
    exit_: Annotated[bool, typer.Option("--exit", help="Stop after showing.")] = False,
) -> None:
    """Show a real sign-up and login on a throw-away database, then serve /docs."""
    from watchword.cli.demo import run_demo

    run_demo(port, stop=exit_)


@app.command()
def serve(
    host: Annotated[str, typer.Option(metavar="HOST", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, metavar="N", help="0 is any free one.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, max=256, metavar="N", help="Processes.")] = 1,
) -> None:
    """Run Watchword alone, as a server."""
    from watchword.cli.serving import run_server

    run_server(host, port, workers=workers)


@app.command()
def settings(as_json: Json = False) -> None:
    """Show the settings in force, secrets masked."""
    from watchword.cli.settings import shown_settings
    from watchword.settings import load_settings

    rows = shown_settings(load_settings())
    if as_json:
        output.print_json({name: value for name, value, _ in rows})
    else:
        output.print_table("Settings in force", ("Setting", "Value", "From"), rows)


@app.command()
def calibrate(as_json: Json = False) -> None:
    """Measure what each password cost takes on this machine."""
    from watchword.cli.calibrate import measure_costs
    from watchword.settings import load_settings

    measured = asyncio.run(measure_costs(load_settings()))
    if as_json:
        output.print_json([cost.as_dict() for cost in measured])
    else:
        output.print_table(
            "Argon2id on this machine",
            ("WATCHWORD_PASSWORD_COST", "Memory", "One hash", "Hashes a second", ""),
            [cost.as_row() for cost in measured],
        )


@db.command()
def upgrade(as_json: Json = False) -> None:
    """Bring the schema up to date."""
    from watchword.cli.database import upgrade_schema

    before, now = asyncio.run(upgrade_schema())
    changed = before != now
    if as_json:
        output.print_json({"before": before, "now": now})
    else:
        output.say(f"The schema is now at {now} (before: {before or 'none'})." if changed else f"Up to date: {now}.")


@db.command()
def check(as_json: Json = False) -> None:
    """Tell whether the schema is the one this version needs; status 1 if not."""
    from watchword.cli.database import describe_state, read_state

    state = asyncio.run(read_state())
    if as_json:
        output.print_json({"current": state.current, "needed": state.needed, "is_current": state.is_current})
    else:
        output.say(describe_state(state))
    raise typer.Exit(0 if state.is_current else 1)


@db.command()
def prune(as_json: Json = False) -> None:
    """Delete what has ended or expired: sessions, keys, links, old events, given up mail. Running apps do it hourly."""
    from watchword.cli.database import prune_database

    pruned = asyncio.run(prune_database())
    if as_json:
        output.print_json(dataclasses.asdict(pruned))
    else:
        counts = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in dataclasses.asdict(pruned).items())
        output.say(f"Deleted {counts}.")


@db.command()
def restored(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    keep_api_keys: Annotated[
        bool, typer.Option("--keep-api-keys", help="Leave API keys good, those revoked since the backup too.")
    ] = False,
    keep_recovery_codes: Annotated[
        bool, typer.Option("--keep-recovery-codes", help="Leave recovery codes good, those used since the backup too.")
    ] = False,
    as_json: Json = False,
) -> None:
    """After a restored backup: end whatever was issued, for the database no longer knows what was revoked or used."""
    from watchword.cli.database import after_restore

    what = ["session", "token", "link"]
    what += [] if keep_api_keys else ["API key"]
    what += [] if keep_recovery_codes else ["recovery code"]
    if not yes and not typer.confirm(f"End every {', '.join(what[:-1])} and {what[-1]} of everybody?"):
        raise typer.Exit(1)
    ended = asyncio.run(after_restore(keep_api_keys=keep_api_keys, keep_recovery_codes=keep_recovery_codes))
    if as_json:
        output.print_json(dataclasses.asdict(ended))
    else:
        output.say(
            f"Ended {ended.sessions} sessions, {ended.api_keys} API keys and {ended.recovery_codes} recovery codes; "
            f"{ended.users} users log in again."
        )


@users.command()
def create(
    email: Email,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    profile: Annotated[str, typer.Option(metavar="JSON", help="The app's own fields of the user.")] = "{}",
    role: Annotated[
        list[str] | None,
        typer.Option("--role", metavar="ROLE", help="Besides the role of new users; may come more than once."),
    ] = None,
    email_verified: Annotated[
        bool, typer.Option("--email-verified", help="The address is theirs: no mail has to prove it.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make an account. The password is asked for, never an argument."""
    from watchword.cli.users import read_password, read_profile, with_users
    from watchword.settings import load_settings

    fields = read_profile(profile)
    password = read_password(from_stdin=password_stdin)
    names = load_settings().default_roles | frozenset(role or ())
    user = asyncio.run(
        with_users(
            lambda users: users.create(email, password, profile=fields, roles=names, is_email_verified=email_verified)
        )
    )
    output.print_user(user, f"Created {user.email}.", as_json=as_json)


@users.command("list")
def list_(as_json: Json = False) -> None:
    """List all accounts."""
    from watchword.cli.users import every_user, with_users

    found = asyncio.run(with_users(every_user))
    if as_json:
        output.print_json([output.user_dict(user) for user in found])
    else:
        rows = [
            (str(user.id), user.email, "yes" if user.is_active else "no", output.moment(user.created_at),
             output.moment(user.last_login_at))
            for user in found
        ]  # fmt: skip
        output.print_table(
            "1 user" if len(rows) == 1 else f"{len(rows)} users",
            ("Id", "Email", "Active", "Created", "Last login"),
            rows,
        )


@users.command()
def disable(email: Email, as_json: Json = False) -> None:
    """Shut a user out at once; every token ends."""
    from watchword.cli.users import set_active, with_users

    user = asyncio.run(with_users(lambda users: set_active(users, email, active=False)))
    output.print_user(user, f"Disabled {user.email}.", as_json=as_json)


@users.command()
def enable(email: Email, as_json: Json = False) -> None:
    """Let a disabled user log in again."""
    from watchword.cli.users import set_active, with_users

    user = asyncio.run(with_users(lambda users: set_active(users, email, active=True)))
    output.print_user(user, f"Enabled {user.email}.", as_json=as_json)


@users.command("reset-link")
def reset_link(email: Email, as_json: Json = False) -> None:
    """Print a link that sets a new password, good once and for ten minutes. Hand it to nobody but the user."""
    from watchword.cli.users import password_reset_link, with_users

    link = asyncio.run(with_users(lambda users: password_reset_link(users, email)))
    if as_json:
        output.print_json({"link": link})
    else:
        output.say(link)


@users.command("reset-2fa")
def reset_second_factor(email: Email, as_json: Json = False) -> None:
    """Remove the second factor of a user who lost it; all their sessions end."""
    from watchword.cli.users import reset_second_factor, with_users

    user = asyncio.run(with_users(lambda users: reset_second_factor(users, email)))
    output.print_user(user, f"Reset the second factor of {user.email}.", as_json=as_json)


@users.command("import")
def import_(
    file: Annotated[str, typer.Argument(metavar="FILE", help="What to read; - is standard input.")],
    file_format: Annotated[
        str | None,
        typer.Option("--format", metavar="NAME", help="csv, jsonl, keycloak, auth0 or firebase; else it is guessed."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything and write nothing.")] = False,
    report: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write refused rows there: JSON Lines if it ends in .jsonl, else CSV."),
    ] = None,
    hash_parameters: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Firebase's password hash parameters, as its console shows them."),
    ] = None,
    profile_field: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=PATH", help="A profile field and where keycloak, auth0 or firebase have it; repeatable."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Take over users with the passwords they have. Run again, it goes on; status 3: some rows were refused."""
    from watchword.cli.imports import import_file

    refused = import_file(
        file,
        format_name=file_format,
        dry_run=dry_run,
        report=report,
        hash_parameters=hash_parameters,
        profile_fields=profile_field or [],
        as_json=as_json,
    )
    raise typer.Exit(3 if refused else 0)


RoleName = Annotated[str, typer.Argument(metavar="ROLE", help="The name of the role.")]
Scopes = Annotated[
    list[str] | None,
    typer.Option(
        "--scope", metavar="SCOPE", help="What it allows; may come more than once; * is all that the app declares."
    ),
]


@roles.command("list")
def list_roles(as_json: Json = False) -> None:
    """List all roles and what they allow."""
    from watchword.cli.users import every_role, with_roles

    found = asyncio.run(with_roles(every_role))
    if as_json:
        output.print_json([output.role_dict(role) for role in found])
    else:
        output.print_table(
            "Roles",
            ("Role", "Scopes", "Description"),
            [(role.name, " ".join(sorted(role.scopes)), role.description) for role in found],
        )


@roles.command("create")
def create_role(
    name: RoleName,
    scope: Scopes = None,
    description: Annotated[str, typer.Option(metavar="TEXT", help="For people.")] = "",
    as_json: Json = False,
) -> None:
    """Make a role."""
    from watchword.cli.users import with_roles

    role = asyncio.run(with_roles(lambda roles: roles.create(name, scope or [], description=description)))
    output.print_role(role, f"Created the role {role.name}.", as_json=as_json)


@roles.command("set")
def set_role(name: RoleName, scope: Scopes = None, as_json: Json = False) -> None:
    """Let a role allow these scopes and no others, for all who have it, at once."""
    from watchword.cli.users import with_roles

    role = asyncio.run(with_roles(lambda roles: roles.set_scopes(name, scope or [])))
    allowed = " ".join(sorted(role.scopes)) or "nothing"
    output.print_role(role, f"The role {role.name} allows {allowed}.", as_json=as_json)


@roles.command("delete")
def delete_role(name: RoleName, as_json: Json = False) -> None:
    """Delete a role, and take it from all who have it."""
    from watchword.cli.users import with_roles

    asyncio.run(with_roles(lambda roles: roles.delete(name)))
    if as_json:
        output.print_json({"deleted": name})
    else:
        output.say(f"Deleted the role {name}.")


@roles.command("give")
def give_role(name: RoleName, email: Email, as_json: Json = False) -> None:
    """Give a user a role."""
    from watchword.cli.users import change_role

    user = asyncio.run(change_role(email, name, given=True))
    output.print_user(user, f"{user.email} has the roles {', '.join(sorted(user.roles))}.", as_json=as_json)


@roles.command("take")
def take_role(name: RoleName, email: Email, as_json: Json = False) -> None:
    """Take a role from a user; their tokens lose its scopes at once."""
    from watchword.cli.users import change_role

    user = asyncio.run(change_role(email, name, given=False))
    has = f"the roles {', '.join(sorted(user.roles))}" if user.roles else "no role"
    output.print_user(user, f"{user.email} has {has}.", as_json=as_json)


@roles.command("members")
def members(name: RoleName, as_json: Json = False) -> None:
    """List the users who have a role."""
    from watchword.cli.users import every_member, with_roles

    found = asyncio.run(with_roles(lambda roles: every_member(roles, name)))
    if as_json:
        output.print_json([output.user_dict(user) for user in found])
    else:
        rows = [(str(user.id), user.email, "yes" if user.is_active else "no") for user in found]
        output.print_table(f"{len(rows)} with the role {name}", ("Id", "Email", "Active"), rows)


OfUser = Annotated[str | None, typer.Option("--user", metavar="EMAIL", help="The user whose key it is.")]
OfClient = Annotated[str | None, typer.Option("--client", metavar="ID", help="The client whose key it is.")]


@api_keys.command("create")
def create_api_key(
    user: OfUser = None,
    client: OfClient = None,
    scope: Annotated[
        list[str] | None, typer.Option("--scope", metavar="SCOPE", help="What it may do; may come more than once.")
    ] = None,
    name: Annotated[str, typer.Option(metavar="TEXT", help="What it is for.")] = "command line",
    expires_in: Annotated[
        str | None, typer.Option(metavar="DURATION", help="Its life, such as 90d, which is the default.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a key of a user or a client. It is shown this once, alone on standard output."""
    from watchword.cli.api_keys import Whose, create_key
    from watchword.cli.started import read_duration

    whose = Whose.of(user, client)
    created = asyncio.run(create_key(whose, name, scope or [], expires_in=read_duration("--expires-in", expires_in)))
    output.print_api_key(created, as_json=as_json)


@api_keys.command("list")
def list_api_keys(user: OfUser = None, client: OfClient = None, as_json: Json = False) -> None:
    """List the keys in force of a user or a client."""
    from watchword.cli.api_keys import Whose, every_key

    found = asyncio.run(every_key(Whose.of(user, client)))
    if as_json:
        output.print_json([output.api_key_dict(key) for key in found])
    else:
        output.print_table(
            "1 API key" if len(found) == 1 else f"{len(found)} API keys",
            ("Id", "Key", "Name", "Scopes", "Expires", "Last used"),
            [
                (str(key.id), key.hint, key.name, " ".join(sorted(key.scopes)), output.moment(key.expires_at),
                 output.moment(key.last_used_at))
                for key in found
            ],
        )  # fmt: skip


KeyId = Annotated[str, typer.Argument(metavar="ID", help="The id of the key.")]


@api_keys.command("rotate")
def rotate_api_key(
    key_id: KeyId,
    grace: Annotated[
        str | None,
        typer.Option(metavar="DURATION", help="How long the old one stays good, such as 1h; else it ends."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a key with the owner, name, scopes and end of another, which is revoked. It is shown this once."""
    from watchword.cli.api_keys import rotate_key
    from watchword.cli.started import read_duration

    rotated = asyncio.run(rotate_key(key_id, grace=read_duration("--grace", grace)))
    output.print_api_key(rotated, as_json=as_json)


@api_keys.command("revoke")
def revoke_api_key(key_id: KeyId, as_json: Json = False) -> None:
    """Revoke a key, at once."""
    from watchword.cli.api_keys import revoke_key

    revoked = asyncio.run(revoke_key(key_id))
    if as_json:
        output.print_json(output.api_key_dict(revoked))
    else:
        output.say(f"Revoked {revoked.hint}, {revoked.name}.")
