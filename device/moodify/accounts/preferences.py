"""What a person likes, and asks of the music while it is for them."""

from __future__ import annotations

from pydantic import Field

from moodify.config.model import Person, QuietHours
from moodify.config.section import Percent  # noqa: TC001 - pydantic reads the annotations


class Preferences(Person):
    """A section ``[people.NAME]`` of the configuration, and what only concerns whoever listens now. What is not set is as the household has it."""

    volume_cap: Percent | None = Field(None, examples=[60], description="Never louder than this, in percent, and never louder than the household's own cap.")
    quiet_hours: QuietHours | None = Field(
        None, examples=[{"start": "22:00:00", "end": "07:00:00"}], description="When music is never started or changed by mood, beside the household's own hours."
    )
