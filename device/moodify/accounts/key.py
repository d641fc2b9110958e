"""The service's key: 32 secret bytes in a file of its own. The one module of this room that opens a file."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING, Final

from moodify.accounts.tokens import KEY_BYTES
from moodify.errors import StoreError
from moodify.files import sync_folder

if TYPE_CHECKING:
    from pathlib import Path

#: What the file is called, in the folder of the appliance and in that of a hub.
FILE: Final = "web.key"


def load_key(path: Path) -> bytes:
    """Return the key in ``path``; make it (0600) where there is none. Of two processes at once both are given the same.

    Raises:
        StoreError: it can't be read or made, others may read it, or it is not 32 bytes.
    """
    try:
        if not path.exists():
            _make(path)
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise StoreError(f"{path} may be read by others, who could sign in as anybody; run: rm {path}, and restart Moodify: everybody signs in again")
            key = file.read(KEY_BYTES + 1)
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}; give the user that runs Moodify a folder that it can write") from error
    if len(key) != KEY_BYTES:
        raise StoreError(f"{path} is not a key of {KEY_BYTES} bytes; run: rm {path}, and restart Moodify: everybody signs in again")
    return key


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        # A link never takes another's place: whoever comes second reads the first one's.
        os.link(new, path)
        sync_folder(path.parent)
    except FileExistsError:
        return
    finally:
        new.unlink(missing_ok=True)
