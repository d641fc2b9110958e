"""What the rest of the house knows of a camera."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from moodify.types import Frame


class Camera(Protocol):
    """A source of frames that is open from construction until :meth:`close`."""

    @property
    def description(self) -> str:
        """What it is, for a person: ``USB camera 0 (C920)``, ``the sample portraits``."""

    @property
    def live(self) -> bool:
        """True where frames happen now; False for a recording, whose frames carry their own time and which ends."""

    def read(self) -> Frame | None:
        """Return the newest frame, or None at the end of a recording.

        A live camera waits until the rate says that a frame is due, then at most its time-out for one; a recording waits
        for the frame's place in time, divided by its pace. Never returns a frame twice; frames nobody asked for are lost.
        The pixels belong to the caller and must not be written to: a still may give the same ones again.

        Raises:
            CameraLost: no frame within the time-out, unplugged, or closed. It stays lost: close it and open another.
        """

    def set_rate(self, fps: float) -> None:
        """Say how many frames per second will be read from now on; a recording ignores it.

        Safe from any thread: a read that waits for the old rate goes by the new one at once.
        """

    def hold_exposure(self, on: bool) -> None:  # noqa: FBT001 - it is the value that is set
        """Keep exposure and white balance as they are now, or let the camera go by the light again; nothing where it can't do so.

        Each opening begins without. Safe from any thread.
        """

    def close(self) -> None:
        """Give the device back. Safe to call twice, and from another thread to end a blocked read."""

    @property
    def stuck(self) -> bool:
        """Whether it was closed and the device is held all the same, for its driver hangs; it may let go later."""

    def __enter__(self) -> Self:
        """Return self."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close."""
