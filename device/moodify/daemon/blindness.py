"""Whether the camera sees but one thing: darkness, or glare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from moodify.types import Observation

#: Mean luma, from 0 to 1, below which a picture is as good as black and above which it is as good as white: no face is found in either.
DARK: Final = 0.03
GLARE: Final = 0.97
#: Only what lasts so long is told, in seconds: a lamp that is switched on blinds a camera until its exposure has followed.
LASTS_S: Final = 5.0
#: For a person, with what to do.
DARK_SAID: Final = "it sees only darkness; where the room is lit, uncover its lens"
GLARE_SAID: Final = "it sees only glare; turn it away from the light"


class Blindness:
    """Pure: it goes by the frames' own time."""

    def __init__(self) -> None:
        """See well."""
        self._why: str | None = None
        self._since_s = 0.0

    def see(self, observation: Observation) -> str | None:
        """Take a frame's observation; return what the camera sees in place of a room, for a person, once that has lasted. None while it sees well."""
        brightness = observation.brightness
        why = DARK_SAID if brightness < DARK else GLARE_SAID if brightness > GLARE else None
        # A recording that starts again goes back in time.
        if why != self._why or observation.t_s < self._since_s:
            self._why, self._since_s = why, observation.t_s
        return self._why if observation.t_s - self._since_s >= LASTS_S else None
