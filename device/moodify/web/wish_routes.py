"""What may be wished of the music beyond a press: more like this, a mood, a volume, what music is for."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from fastapi import APIRouter

from moodify.web.history_schemas import NamedMood, WantedGoal, WantedVolume  # noqa: TC001 - FastAPI reads the annotations
from moodify.web.schemas import Said, problems
from moodify.web.waiting import granted

if TYPE_CHECKING:
    from moodify.web.port import House

_GOALS: Final = {"match": "Music follows the mood.", "lift": "Music lifts the mood.", "calm": "Music calms."}


def wish_routes(house: House) -> APIRouter:
    """Return the routes that take wishes."""
    router = APIRouter(prefix="/api", tags=["wishes"], responses=problems())

    @router.post("/like", status_code=202)
    async def like() -> Said:
        """More like what plays."""
        house.press_like()
        return Said(message="Noting that you like it." if house.now()["music"]["playing"] else "Nothing plays, so there is nothing to like.")

    @router.put("/mood")
    async def mood(wish: NamedMood) -> Said:
        """Let a mood stand for the room's, or the room's own count again."""
        told = await granted(house.name_mood(wish.mood, wish.minutes))
        if wish.mood is None:
            return Said(message="The music follows the room again.")
        return Said(message=f"{wish.mood.capitalize()} until {_clock(told['until'])}. {told['music']}.")

    @router.put("/volume")
    async def volume(wish: WantedVolume) -> Said:
        """Bring the speaker's volume there, but not above what the household allows."""
        told = await granted(house.want_volume(wish.percent))
        return Said(message=f"{told['music']}.")

    @router.put("/goal")
    async def goal(wish: WantedGoal) -> Said:
        """Take what music is for until the next start."""
        told = await granted(house.want_goal(wish.goal))
        return Said(message=_GOALS[told["goal"]])

    return router


def _clock(at: str) -> str:
    return f"{datetime.fromisoformat(at).astimezone():%H:%M}"
