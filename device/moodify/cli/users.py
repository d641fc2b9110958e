"""``moodify users``: who may sign in, from the machine itself, whether the appliance or hub runs or not."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import click
import typer

from moodify.accounts.accounts import Accounts
from moodify.accounts.address import normalise
from moodify.accounts.key import FILE, load_key
from moodify.accounts.managing import TERMINAL
from moodify.accounts.passwords import Hasher
from moodify.accounts.tables import TableAccounts
from moodify.accounts.user import Role
from moodify.cli.person import require_owner, typed
from moodify.config import find, load
from moodify.daemon.places import DATABASE, folder_of
from moodify.errors import AccountError, NoSuchUser, PersonMustAct

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from moodify.accounts.codes import Code
    from moodify.accounts.tables import Transactions
    from moodify.accounts.user import User

#: Of the password in a file or a pipe.
_LONGEST_LINE = 2000


def list_users(config_file: Path | None, hub: Path | None, *, as_json: bool) -> int:
    """Print who has an account; return the exit code.

    Raises:
        MoodifyError: the accounts can't be read.
    """
    people: tuple[User, ...] = ()
    invitations: tuple[Code, ...] = ()
    browsers = {}
    # Who only looks makes no files.
    if hub is not None or (folder_of(load(find(config_file))) / DATABASE).exists():
        with _opened(config_file, hub) as accounts:
            people = accounts.users(TERMINAL)
            browsers = {user.id: len(accounts.sessions(user.id)) for user in people}
            invitations = accounts.invitations(TERMINAL)
    if as_json:
        said = {"users": [_user_as_json(user, browsers[user.id]) for user in people], "invitations": [_code_as_json(code) for code in invitations]}
        typer.echo(json.dumps(said, ensure_ascii=False))
        return 0
    if not people:
        typer.echo("Nobody has an account yet. For the code that makes somebody the owner run: moodify users code")
    else:
        rows = [("EMAIL", "NAME", "ROLE", "LAST SIGN-IN", "BROWSERS"), *(_row(user, browsers[user.id]) for user in people)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        for row in rows:
            typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    for code in invitations:
        typer.echo(f"Invited: {code.first_name}, as {code.role}, until {code.life.ends.astimezone():%Y-%m-%d %H:%M}")
    return 0


def invite(config_file: Path | None, hub: Path | None, first_name: str, *, owner: bool) -> int:
    """Print an invitation's code; return the exit code.

    Raises:
        MoodifyError: the name can't be, or the accounts can't be used.
    """
    with _opened(config_file, hub) as accounts:
        text, code = accounts.invite(TERMINAL, first_name, Role.OWNER if owner else Role.MEMBER)
    typer.echo(f"{text} lets {code.first_name} make an account as {code.role}, once, until {code.life.ends.astimezone():%Y-%m-%d %H:%M}.")
    typer.echo(f'On {_place(hub)} they choose "I have a code".')
    return 0


def remove(config_file: Path | None, hub: Path | None, email: str, *, yes: bool) -> int:
    """Erase an account, once that is confirmed; return the exit code.

    Raises:
        MoodifyError: nobody has the address, it is the last owner, or the accounts can't be used.
    """
    with _opened(config_file, hub) as accounts:
        user = of_address(accounts.users(TERMINAL), email)
        looks = "" if hub is not None else " and the looks at their skin"
        question = [f"This erases the account of {user.name} ({user.email}), {user.role}, with their preferences{looks}, and signs them out everywhere."]
        if not yes and not typed("remove", question, otherwise="Nothing was changed"):
            return 1
        accounts.remove_user(TERMINAL, user.id)
    typer.echo(f"The account of {user.name} ({user.email}) is erased.")
    return 0


def reset(config_file: Path | None, hub: Path | None, email: str) -> int:
    """Set somebody's password; return the exit code.

    Raises:
        MoodifyError: nobody has the address, the password can't be, or the accounts can't be used.
    """
    with _opened(config_file, hub) as accounts:
        user = of_address(accounts.users(TERMINAL), email)
        accounts.set_password(user.id, _new_password())
        if not user.active:
            accounts.change_user(TERMINAL, user.id, active=True)
    typer.echo(f"{user.name} ({user.email}) has a new password, may sign in at once, and is signed out everywhere.")
    return 0


def code(config_file: Path | None, hub: Path | None) -> int:
    """Print a new claim code; return the exit code.

    Raises:
        MoodifyError: there is an owner, or the accounts can't be used.
    """
    with _opened(config_file, hub) as accounts:
        text = accounts.make_claim_code()
    typer.echo(f"{text} makes whoever types it on {_place(hub)} the owner, once. The code before holds no longer.")
    return 0


@contextmanager
def _opened(config_file: Path | None, hub: Path | None) -> Iterator[Accounts]:
    with ExitStack() as stack:
        if hub is not None:
            from moodify.cli.hub_words import opened
            from moodify.hub.folder import hub_folder

            folder = hub_folder(hub).path
            require_owner(folder)
            _, database = stack.enter_context(opened(hub_folder(hub)))
            transactions: Transactions = database.accounts
        else:
            folder = folder_of(load(find(config_file)))
            require_owner(folder)
            transactions = of_appliance(folder, stack)
        # Tokens are made by who serves the page: the audience is of no use here.
        yield Accounts(TableAccounts(transactions), Hasher(), load_key(folder / FILE), audience="moodify-terminal")


def of_appliance(folder: Path, stack: ExitStack) -> Transactions:
    """Open the accounts of the appliance whose data folder it is, brought up to date where it does not run.

    Raises:
        StoreBusy, StoreError: they can't be used.
    """
    from moodify.store.accounts import AccountTransactions
    from moodify.store.lock import FolderLock, is_held
    from moodify.store.prepare import prepare

    if not is_held(folder):
        with FolderLock(folder):
            prepare(folder / DATABASE)
    return stack.enter_context(AccountTransactions(folder / DATABASE))


def of_address(people: Sequence[User], email: str) -> User:
    """Return the person of an address.

    Raises:
        AccountError: it is no address, or nobody has it.
    """
    address = normalise(email)
    for user in people:
        if user.email == address:
            return user
    raise NoSuchUser(f"nobody has an account with {address}; moodify users list shows who has one")


def _new_password() -> str:
    if sys.stdin is None or not sys.stdin.isatty():
        line = "" if sys.stdin is None else sys.stdin.readline(_LONGEST_LINE).rstrip("\r\n")
        if not line:
            raise PersonMustAct("no password came; run this at a terminal, or give the new password as a line of standard input")
        return line
    try:
        new = str(typer.prompt("New password", hide_input=True))
        again = str(typer.prompt("Once more", hide_input=True))
    except (click.Abort, KeyboardInterrupt, EOFError):
        typer.echo()
        raise PersonMustAct("no password was typed; nothing was changed") from None
    if new != again:
        raise AccountError("the two are not the same; nothing was changed, run it again")
    return new


def _place(hub: Path | None) -> str:
    return "the page" if hub is None else "the hub's dashboard"


def _row(user: User, browsers: int) -> tuple[str, ...]:
    last = "never" if user.last_sign_in_at is None else f"{user.last_sign_in_at.astimezone():%Y-%m-%d %H:%M}"
    return user.email, user.name, user.role.value if user.active else f"{user.role.value}, may not sign in", last, str(browsers)


def _user_as_json(user: User, browsers: int) -> dict[str, object]:
    return {
        "id": str(user.id),
        "email": user.email,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "role": user.role.value,
        "active": user.active,
        "created": user.created_at.isoformat(),
        "last_sign_in": None if user.last_sign_in_at is None else user.last_sign_in_at.isoformat(),
        "sessions": browsers,
    }


def _code_as_json(code: Code) -> dict[str, object]:
    return {"id": str(code.id), "first_name": code.first_name, "role": code.role.value, "created": code.life.began.isoformat(), "ends": code.life.ends.isoformat()}
