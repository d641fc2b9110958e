"""What goes into a backup, whole and at one moment, while the appliance runs."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from moodify.daemon.data_places import BACKING_UP, CATALOGUE, CONFIGURATION, KINDS, InBackup
from moodify.daemon.places import DATABASE
from moodify.errors import PersonMustAct

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@contextmanager
def copied(folder: Path, configuration: Path | None, copies: Path, *, with_keys: bool) -> Iterator[Mapping[str, Path]]:
    """Give the files of a backup by the names that they are to have in it; databases are copies, which are gone after the block.

    Args:
        folder: the data folder.
        configuration: the owner's, None where there is none.
        copies: a folder with room for copies of the databases.
        with_keys: whether the device's key, the sign-ins and the accounts are among them.

    Raises:
        PersonMustAct: nothing is kept yet, or ``copies`` can't be written.
        StoreBusy, StoreError: a database can't be used, or the disk is full.
    """
    from moodify.store.copying import copy_database, leave_out_accounts

    if not (folder / DATABASE).is_file():
        raise PersonMustAct(f"there is nothing to back up in {folder} yet; the first run of Moodify makes it")
    wanted = {InBackup.ALWAYS, InBackup.WITH_KEYS} if with_keys else {InBackup.ALWAYS}
    members = {kind.name: folder / kind.name for kind in KINDS if kind.backup in wanted and (folder / kind.name).is_file()}
    if configuration is not None:
        members[CONFIGURATION] = configuration
    try:
        place = TemporaryDirectory(prefix=BACKING_UP, dir=copies)
    except OSError as error:
        raise PersonMustAct(f"{copies}: {error.strerror}; name a file in a folder that the user who runs this can write") from error
    with place as temporary:
        for name in {DATABASE, CATALOGUE} & members.keys():
            copy = Path(temporary) / name
            copy_database(folder / name, copy)
            members[name] = copy
        if not with_keys:
            # A hash of a password can be guessed at by whoever has it.
            leave_out_accounts(members[DATABASE])
        yield members
