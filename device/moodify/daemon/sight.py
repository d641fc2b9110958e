"""Whether the camera may look, whether it does, and the looks that are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moodify.daemon.blindness import Blindness
from moodify.daemon.parts import Part
from moodify.daemon.signals import State
from moodify.types import Act, Decision, EventKind

if TYPE_CHECKING:
    from moodify.daemon.kept import Kept
    from moodify.daemon.override import Override
    from moodify.daemon.pending import Pending
    from moodify.daemon.recorder import Recorder
    from moodify.daemon.room import Room
    from moodify.daemon.said import Said
    from moodify.daemon.signals import Aiming, CameraIs, SkinLook
    from moodify.daemon.watcher import Watcher
    from moodify.music.situation import Ask
    from moodify.types import Observation


class Sight:
    """The camera as the house has it. Belongs to the conductor's thread."""

    def __init__(self, watcher: Watcher, room: Room, *, recorder: Recorder, kept: Kept, pending: Pending, override: Override, said: Said) -> None:
        """Take who looks, what was seen, and what is waited for; the camera is being opened, or closed for privacy."""
        self._watcher = watcher
        self._room = room
        self._kept = kept
        self._pending = pending
        self._override = override
        self._said = said
        self._aimed = False
        self._skin_of: str | None = None
        self._camera = ""
        self._blindness = Blindness()
        self.part = Part(EventKind.CAMERA, recorder, "opening")
        standing = kept.privacy_standing
        self._private_why = standing.why
        self.private = standing.on
        """Whether the watcher keeps the camera closed."""

    @property
    def looking(self) -> bool:
        """Whether a look that was asked for is under way, of the room or of a person's skin, or a person aims the camera."""
        return self._pending.looking or ((self._aimed or self._skin_of is not None) and not self.private)

    @property
    def said_here(self) -> str | None:
        """What is told in the house alone, before all else; None mostly. It is no event, and leaves for nowhere: whose skin is looked at is nobody's business outside."""
        return None if self._skin_of is None else f"{self._skin_of} has their skin looked at by the camera, as they asked; nobody sees its picture"

    def becomes(self, camera: CameraIs) -> None:
        """Take how the camera is; what was seen by one that is lost is over."""
        saw = self.part.state is State.OK
        self.part.becomes(camera.state, camera.message)
        self._camera, self._blindness = camera.message, Blindness()
        if saw and camera.state is not State.OK:
            self._room.forget()
            self.answer_pending(f"Can't look again: {self.part.message}")

    def see(self, observation: Observation) -> None:
        """Tell where the camera sees but darkness or glare: nobody is found there, which may be for that alone. At night that is as it should be, so it is no failure."""
        if self.part.state is State.OK:
            why = self._blindness.see(observation)
            self.part.becomes(State.OK, self._camera if why is None else f"{self._camera}: {why}")

    def answer_pending(self, why_not: str) -> None:
        """Answer a press that waits, for the songs or for the look, by why it will not be."""
        if self._pending.drop():
            self._tell(why_not)

    def look_again(self, ask: Ask) -> str | None:
        """Begin to look again, whatever mood was named; return why that can't be, which is noted too."""
        if self.private:
            why_not = "Privacy is on and the camera is closed: turn privacy off to look again"
        elif self.part.state is not State.OK:
            why_not = f"Can't look again: {self.part.message}"
        else:
            if not self._pending.held:
                self._override.end()
            self._pending.look(ask)
            self._room.look_again()
            self._watcher.scan()
            return None
        self._tell(why_not)
        return why_not

    def set_privacy(self, *, on: bool, origin: str) -> None:
        """Close the camera, or let it see again, as a person wants it; kept over a restart."""
        self._kept.set_privacy(on=on, origin=origin)
        self.follow_privacy()

    def follow_privacy(self) -> None:
        """Close the camera, or let it see again, where a hand or the hour has changed that; tell why it stays closed where that is another reason now."""
        standing = self._kept.privacy_standing
        changed = standing.on != self.private
        if not changed and standing.why == self._private_why:
            return
        self.private, self._private_why = standing.on, standing.why
        self._watcher.set_privacy(standing.on, standing.why)
        if not changed:
            return
        self._pending.drop()
        self._room.forget()
        why = f" ({standing.why})" if standing.why else ""
        self._tell(f"Privacy is on{why}: the camera is closed, and the music is left as it is" if standing.on else f"Privacy is off{why}: the camera looks again")

    def aim(self, aiming: Aiming) -> None:
        """Tell who is in the room that the camera's picture is shown."""
        self._aimed = aiming.on
        self._tell(f"{aiming.by} sees the camera's picture on the page for two minutes at most, to aim it" if aiming.on else "The camera's picture is shown to nobody any more")

    def look_at_skin(self, look: SkinLook) -> None:
        """Tell who is in the room whose skin is looked at; the music is left as it is."""
        self._skin_of = look.by if look.on else None

    def _tell(self, said: str) -> None:
        self._said.note(Decision(Act.KEEP, said, self._room.mood), answer=True)
