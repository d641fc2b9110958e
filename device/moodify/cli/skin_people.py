"""Whose looks at their skin are meant: read by whoever owns the appliance's files, as ``moodify users`` reads accounts."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from moodify.accounts.tables import TableAccounts
from moodify.cli.person import require_owner
from moodify.cli.users import of_appliance
from moodify.config import find, load
from moodify.daemon.places import DATABASE, folder_of
from moodify.daemon.skin_keeping import RunningSkinKeeping

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from moodify.accounts.user import User


@contextmanager
def opened(config_file: Path | None) -> Iterator[tuple[tuple[User, ...], RunningSkinKeeping]]:
    """Give everybody who has an account, the first made first, and where looks are kept, whether the appliance runs or not.

    Raises:
        MoodifyError: the accounts can't be read.
    """
    folder = folder_of(load(find(config_file)))
    require_owner(folder)
    keeping = RunningSkinKeeping(folder / DATABASE)
    if not (folder / DATABASE).exists():
        # Who only looks makes no files.
        yield (), keeping
        return
    with ExitStack() as stack:
        people = TableAccounts(of_appliance(folder, stack)).everybody()
        yield people, keeping
