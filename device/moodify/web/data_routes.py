"""The owner's data: taken along, or erased."""

from __future__ import annotations

from tempfile import TemporaryFile
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from moodify.web.account_schemas import Confirmed  # noqa: TC001 - FastAPI reads the annotations
from moodify.web.answers import as_file
from moodify.web.schemas import Said, problems
from moodify.web.session import Owner  # noqa: TC001 - likewise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from uuid import UUID

    from starlette.types import Receive, Scope, Send

    from moodify.web.keeping import Keeping
    from moodify.web.waiting import Aside

_PIECE: Final = 64 * 1024


class Confirms(Protocol):
    """What is asked of :class:`moodify.accounts.accounts.Accounts`."""

    def confirm_password(self, user_id: UUID, password: str) -> None:
        """Raise WrongPassword or TooManyTries where it is not the user's."""


def data_routes(keeping: Keeping, accounts: Confirms, aside: Aside, folder: Path) -> APIRouter:
    """Return the routes that give and erase what is kept; ``folder`` is on a disk with room for a backup, which never has a name there."""
    router = APIRouter(prefix="/api", tags=["data"], responses=problems())

    @router.get("/backup", response_class=Response, responses={200: {"content": {"application/zip": {}}, "description": "What moodify restore takes."}})
    async def backup(_who: Owner) -> Response:
        """Return history, taste, songs and settings in one file. Keys, passwords, sessions and the sign-in to Spotify are not in it."""
        file = await aside.do(_backed_up, keeping.back_up, folder)
        return Download(file)

    @router.post("/erase", status_code=202)
    async def erase(wish: Confirmed, who: Owner) -> Said:
        """Erase everything that is kept, keys and sign-ins first, and start as a new device. It can't be taken back."""
        await aside.do(accounts.confirm_password, who.user.id, wish.password)
        await aside.do(keeping.erase)
        return Said(message="Everything is erased now, and Moodify starts as a new device. Open this page again in a few minutes and claim it.")

    return router


class Download(StreamingResponse):
    """Sends a file that has no name and closes it, also where whoever asked has gone before a piece of it was read: it takes room until then."""

    def __init__(self, file: BinaryIO) -> None:
        """Take the file; all of it is sent."""
        size = file.seek(0, 2)
        super().__init__(_pieces(file), media_type="application/zip", headers={**as_file("backup", "zip"), "Content-Length": str(size)})
        self._file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._file.close()


def _backed_up(write: Callable[[BinaryIO], None], folder: Path) -> BinaryIO:
    file = TemporaryFile(dir=folder)  # noqa: SIM115 - it is closed once it is sent
    try:
        write(file)
    except BaseException:
        file.close()
        raise
    return file


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    while piece := file.read(_PIECE):
        yield piece
