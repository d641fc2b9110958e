"""``moodify skin scan``: a guided look at one's skin, at the terminal, whether the appliance runs or not."""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Final, Protocol

import click
import typer
from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from moodify.cli.live import console
from moodify.cli.person import require_owner, typed
from moodify.cli.skin_words import FIELDS, level
from moodify.config import find, load
from moodify.daemon.places import folder_of
from moodify.errors import MoodifyError, PersonMustAct, RetryLater
from moodify.skin.advice import SEE_A_PROFESSIONAL
from moodify.skin.record import MEASURED, Trait
from moodify.skin.summing import SHOTS
from moodify.store.lock import is_held

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from moodify.skin.capture import Guidance
    from moodify.skin.record import FaceRecord
    from moodify.web.skin_port import LookNow

#: Of the password in a file.
_LONGEST_LINE: Final = 2000
_WHAT_IT_MEANS: Final = (
    "Moodify may look at your skin when you ask it to. Three pictures are measured at once, and none is kept; a few numbers stay on this device.",
    "They go nowhere unless you share them. Whoever may use this device's terminal can read them, and a backup with keys takes them along.",
    "While the appliance runs, it tells the room by your first name that you have a look. It knows no faces: who sits before the camera is looked at.",
    "It is cosmetic: it finds no illness, and replaces nobody who does.",
    "You may take this back at any time, which erases every look of yours: on the page, or with moodify skin forget.",
)


class Mirror(Protocol):
    """Before which a person sits: the appliance that runs, or a camera that is opened for them. Each call raises a MoodifyError where it can't be done."""

    def allowed(self) -> bool:
        """Return whether they allow looks."""

    def allow(self) -> None:
        """Allow looks."""

    def begin(self) -> LookNow:
        """Begin to look."""

    def now(self, after: int) -> LookNow | None:
        """Return how the look stands, waiting a little for a version beyond ``after``; None where it was ended elsewhere."""

    def end(self) -> None:
        """End it without a result."""


def scan(config_file: Path | None, email: str, *, camera: str | None, keep: bool, password_file: Path | None, as_json: bool) -> int:
    """Look at the skin of who has the address, say what to do meanwhile, and print the record; return the exit code.

    Raises:
        MoodifyError: it can't be done, or came to nothing; the message says what to do.
    """
    config = load(find(config_file))
    folder = folder_of(config)
    require_owner(folder)
    runs = is_held(folder)
    if runs and camera is not None:
        raise PersonMustAct("Moodify runs, and looks with its own camera; leave out --camera, or end Moodify first")
    password = _password(email, password_file)
    opened: AbstractContextManager[Mirror]
    if runs:
        from moodify.cli.skin_page import PageMirror

        opened = PageMirror(config, folder, email, password, keep=keep)
    else:
        from moodify.cli.skin_mirror import CameraMirror

        opened = CameraMirror(config, folder, email, password, source=camera, keep=keep)
    with opened as mirror:
        if not mirror.allowed():
            if sys.stdin is None or not sys.stdin.isatty():
                raise PersonMustAct(f"{email} has not allowed looks at their skin; run this at a terminal, or allow them on the page under Your skin")
            if not typed("allow", _WHAT_IT_MEANS, otherwise="Nothing was looked at"):
                return 1
            mirror.allow()
        record, kept = _guided(mirror)
    if as_json:
        typer.echo(record.model_dump_json())
    else:
        _print(record, kept)
    return 0


def _guided(mirror: Mirror) -> tuple[FaceRecord, str]:
    """Return what came of it, and what became of that."""
    now: LookNow | None = mirror.begin()
    try:
        with _guide() as show:
            while now is not None and not now.is_over:
                if now.guidance is not None:
                    show(now.guidance)
                now = mirror.now(now.version)
    except BaseException:
        # Where that fails too, the first reason is the one to be told; who does not ask any more has left.
        with suppress(MoodifyError):
            mirror.end()
        raise
    if now is None:
        raise RetryLater("the look was ended elsewhere, by the same person; begin again")
    if now.record is None:
        raise RetryLater(now.failed or "the look came to nothing; begin again")
    if now.portrait:
        return now.record, "It was one of the sample's portraits, and not you: nothing of it was kept. Connect a camera to have your own skin looked at."
    return now.record, "Kept: moodify skin history shows how it goes, and docs/skin.md what the numbers mean." if now.kept is not None else "Nothing of it was kept."


@contextmanager
def _guide() -> Iterator[Callable[[Guidance], None]]:
    """Give what shows a person what to do: in one place at a terminal, else in lines, on stderr."""
    terminal = console()
    with ExitStack() as stack:
        live = stack.enter_context(Live(console=terminal, auto_refresh=False, transient=True)) if terminal.is_terminal else None
        last: Guidance | None = None

        def tell(guidance: Guidance) -> None:
            nonlocal last
            if guidance == last:
                return
            last = guidance
            if live is not None:
                live.update(_drawn(guidance), refresh=True)
            else:
                terminal.print(f"{guidance.say} ({guidance.taken} of {SHOTS})", highlight=False, markup=False, soft_wrap=True)

        yield tell


def _drawn(guidance: Guidance) -> Panel:
    shots = Text("● " * guidance.taken + "○ " * (SHOTS - guidance.taken), style="bold")
    return Panel(Group(Text(guidance.say, style="bold"), Text(), shots), title="Your skin", subtitle="no picture is kept; Ctrl-C ends it")


def _print(record: FaceRecord, kept: str) -> None:
    out = Console()
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for name in MEASURED:
        spread = record.spread.get(Trait(name)) if name in set(Trait) else None
        table.add_row(FIELDS[name], level(getattr(record, name), spread), Text(record.reasons.get(name, "")))
    out.print(table)
    if record.conditions:
        out.print(Text(f"Your skin: {', '.join(record.conditions)}."))
    out.print(Text(SEE_A_PROFESSIONAL))
    out.print(Text(kept))


def _password(email: str, file: Path | None) -> str:
    if file is not None:
        try:
            with file.open(encoding="utf-8") as lines:
                password = lines.readline(_LONGEST_LINE).rstrip("\r\n")
        except (OSError, UnicodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no text"
            raise PersonMustAct(f"{file}: can't be read ({why}); name a file whose first line is the password") from error
        if not password:
            raise PersonMustAct(f"{file}: its first line is empty; write the password there")
        return password
    if sys.stdin is None or not sys.stdin.isatty():
        raise PersonMustAct("nobody could be asked for the password; run this at a terminal, or name a file with --password-file")
    try:
        return str(typer.prompt(f"Password of {email}", hide_input=True))
    except (click.Abort, KeyboardInterrupt, EOFError):
        typer.echo()
        raise PersonMustAct("no password was typed; nothing was looked at") from None
