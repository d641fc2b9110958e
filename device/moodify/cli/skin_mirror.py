"""A look at one's skin with a camera that is opened for it, while the appliance does not run."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from moodify.accounts.accounts import Accounts
from moodify.accounts.key import FILE, load_key
from moodify.accounts.passwords import Hasher
from moodify.accounts.tables import TableAccounts
from moodify.cli.users import of_address, of_appliance
from moodify.daemon.kept import date_doubted, privacy_standing
from moodify.daemon.places import DATABASE
from moodify.daemon.skin_keeping import RunningSkinKeeping
from moodify.daemon.skin_look import SkinLooks
from moodify.errors import NotPermitted, PersonMustAct
from moodify.process import keep_memory_to_itself
from moodify.store.lock import FolderLock
from moodify.store.settings import Settings
from moodify.vision.chatter import without_chatter

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from moodify.camera.port import Camera
    from moodify.config import Config
    from moodify.vision.port import Detector
    from moodify.web.skin_port import LookNow

#: Longest wait for what is being kept, in seconds, before it is looked again.
_WAIT_S = 1.0


class CameraMirror:
    """Implements :class:`moodify.cli.skin_scan.Mirror`, in a ``with``; nobody else uses the data folder meanwhile."""

    def __init__(self, config: Config, folder: Path, email: str, password: str, *, source: str | None, keep: bool) -> None:
        """See who it is.

        Args:
            config: the appliance's.
            folder: its data.
            email: of whose skin it is.
            password: theirs.
            source: which camera, as ``camera.source``; None takes the configured one.
            keep: whether the result is kept.

        Raises:
            WrongPassword: the password is not right.
            TooManyTries: after wrong ones.
            NotPermitted: they may not sign in.
            MoodifyError: nobody has the address, or the accounts can't be used.
        """
        self._config = config.camera if source is None else config.camera.model_copy(update={"source": source})
        self._vision, self._privacy = config.vision, config.privacy
        self._folder, self._database = folder, folder / DATABASE
        self._open = ExitStack()
        self._camera: Camera | None = None
        self._detector: Detector | None = None
        self._held = False
        with ExitStack() as stack:
            kept = TableAccounts(of_appliance(folder, stack))
            self._user = of_address(kept.everybody(), email)
            Accounts(kept, Hasher(), load_key(folder / FILE), audience="moodify-terminal").confirm_password(self._user.id, password)
        if not self._user.active:
            raise NotPermitted(f"{self._user.name} may not sign in; ask an owner")
        self._keeping, self._keep = RunningSkinKeeping(self._database), keep
        self._looks = SkinLooks(self._keeping, lambda _signal: None, private=self._private, date_doubted=self._date_doubted, portraits=lambda: self._config.source == "sample")

    def allowed(self) -> bool:
        """Return whether they allow looks."""
        return self._keeping.standing(self._user.id).opted_in_at is not None

    def allow(self) -> None:
        """Allow looks."""
        self._keeping.opt_in(self._user.id)

    def begin(self) -> LookNow:
        """Open camera and detector, and begin to look."""
        from moodify.camera.opening import CameraOpener
        from moodify.vision.eyes import open_models

        if self._private():
            raise PersonMustAct("privacy is on, and the camera stays closed; run moodify privacy off first")
        # There are pixels in this process from now on.
        keep_memory_to_itself()
        with without_chatter():
            self._detector, _ = open_models(self._vision)
        # Whoever shows a recording need not wait for it, and the sample has nobody's skin.
        self._camera = self._open.enter_context(CameraOpener(self._config, pace=0, sample_allowed=False)())
        return self._looks.begin(self._user.id, self._user.first_name, skin_type=self._user.skin_type, keep=self._keep)

    def now(self, after: int) -> LookNow | None:
        """Look at the next frame, or wait until what was seen is kept; return how the look stands."""
        if self._camera is None or self._detector is None or not self._looks.wants_frames:
            return self._looks.now(self._user.id, after, _WAIT_S)
        frame = self._camera.read()
        if self._private():
            # Its hour has come, or another terminal has turned it on.
            self._looks.fail("privacy is on and the camera is closed; run moodify privacy off, and begin again")
        elif frame is None:
            self._looks.fail("the recording is over before three shots could be taken; give a longer one")
        else:
            hold = self._looks.look(frame, self._detector.faces(frame.image))
            if hold != self._held:
                self._held = hold
                self._camera.hold_exposure(hold)
        return self._looks.now(self._user.id)

    def end(self) -> None:
        """End it without a result."""
        self._looks.end(self._user.id)

    def __enter__(self) -> Self:
        """Keep everybody else from the folder, and from the camera."""
        self._open.enter_context(FolderLock(self._folder))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close the camera, and give the folder back."""
        self._open.close()

    def _private(self) -> bool:
        with Settings(self._database) as settings:
            return privacy_standing(settings, self._privacy.hours, datetime.now(UTC).astimezone()).on

    def _date_doubted(self) -> bool:
        with Settings(self._database) as settings:
            return date_doubted(settings)
