"""A person's face record, their own alone: what they allow, a look, what is kept, the card to print."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Final
from uuid import UUID  # noqa: TC003 - FastAPI reads the annotations

from fastapi import APIRouter, Query, Response

from moodify.errors import NotPermitted
from moodify.skin.trend import MOST_LOOKS
from moodify.web.answers import as_file
from moodify.web.problems import Problem
from moodify.web.schemas import Said, problems
from moodify.web.session import Person  # noqa: TC001 - FastAPI reads the annotations
from moodify.web.skin_schemas import LookOut, LooksOut, LookWish, StandingOut, StandingWish
from moodify.web.waiting import Aside

if TYPE_CHECKING:
    from collections.abc import Sequence

    from moodify.web.skin_port import KeptLook, SkinKeeping, SkinLooking

#: Longest wait for other guidance, in seconds: the page ends no sooner.
WAIT_S: Final = 1.0
#: Pages of a household that wait for guidance at once.
_WAITING: Final = 4
_PRINTS: Final = 12
"""As :data:`moodify.skin.card.PRINTS`, which comes with what draws the card."""


def skin_routes(keeping: SkinKeeping, looking: SkinLooking) -> APIRouter:
    """Return the routes of the face record."""
    router = APIRouter(prefix="/api/me/skin", tags=["face record"], responses=problems(HTTPStatus.NOT_FOUND))
    aside = Aside()
    _allowing(router, keeping, looking, aside)
    _looking(router, looking, aside)
    _looking_back(router, keeping, aside)
    return router


def _allowing(router: APIRouter, keeping: SkinKeeping, looking: SkinLooking, aside: Aside) -> None:
    @router.get("")
    async def standing(who: Person) -> StandingOut:
        """Say whether one has allowed looks at one's skin, whether the newest is shared, and whether one goes on."""
        return StandingOut.of(await aside.do(keeping.standing, who.user.id), looking.now(who.user.id))

    @router.put("")
    async def allow(wish: StandingWish, who: Person) -> StandingOut:
        """Allow looks, or no longer, which erases them all; share the newest over MQTT, or no longer."""
        user = who.user.id
        if wish.opted_in is False:
            if wish.shared:
                raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "What is not allowed can't be shared. Leave out one of the two.")
            await aside.do(keeping.opt_out, user)
            # After it: one that began in between would go on.
            looking.end(user)
        elif wish.opted_in:
            await aside.do(keeping.opt_in, user)
        if wish.shared is not None and wish.opted_in is not False:
            await aside.do(keeping.share, user, on=wish.shared)
        return StandingOut.of(await aside.do(keeping.standing, user), looking.now(user))


def _looking(router: APIRouter, looking: SkinLooking, aside: Aside) -> None:
    # What waits for guidance keeps nobody from beginning or ending.
    waiting = Aside(_WAITING)

    @router.post("/look", status_code=HTTPStatus.CREATED)
    async def begin(wish: LookWish, who: Person) -> LookOut:
        """Begin to look at one's skin: three shots, of which the numbers alone stay. One that was begun before is over."""
        return LookOut.of(await aside.do(looking.begin, who.user.id, who.user.first_name, skin_type=who.user.skin_type, keep=wish.keep))

    @router.get("/look")
    async def now(
        who: Person, after: Annotated[int, Query(ge=0, le=2**53, description="The version that is known: another is waited for, a second at most.", examples=[6])] = 0
    ) -> LookOut:
        """Return what to do next, or what came of it. Who does not ask for ten seconds has left, and it is over."""
        told = await waiting.do(looking.now, who.user.id, after, WAIT_S)
        if told is None:
            raise Problem(HTTPStatus.NOT_FOUND, "You have begun no look. Begin one.")
        return LookOut.of(told)

    @router.delete("/look")
    async def end(who: Person) -> Said:
        """End it without a result."""
        await aside.do(looking.end, who.user.id)
        return Said(message="The look is over.")


def _looking_back(router: APIRouter, keeping: SkinKeeping, aside: Aside) -> None:
    def allowed(user: UUID) -> Sequence[KeptLook]:
        if keeping.standing(user).opted_in_at is None:
            raise NotPermitted("you have not allowed looks at your skin; allow them first, on the page under your skin")
        return keeping.looks(user)

    @router.get("/looks")
    async def looks(who: Person, limit: Annotated[int, Query(ge=1, le=MOST_LOOKS)] = MOST_LOOKS) -> LooksOut:
        """Return one's newest looks, how each trait went over them, and what can be said beside the last."""
        return await aside.do(lambda: LooksOut.of(allowed(who.user.id), limit))

    @router.delete("/looks/{look_id}")
    async def remove(look_id: UUID, who: Person) -> Said:
        """Erase one of one's looks."""
        if not await aside.do(keeping.remove, who.user.id, look_id):
            raise Problem(HTTPStatus.NOT_FOUND, "You have no such look any more. Look at the list again.")
        return Said(message="The look is erased.")

    @router.get("/card.pdf", response_class=Response, responses={200: {"content": {"application/pdf": {}}, "description": "The reference card, to print on A4 at 100 %."}})
    async def card(
        _who: Person, number: Annotated[int, Query(alias="print", ge=0, lt=_PRINTS, description="Tells prints apart: another for each new print.", examples=[0])] = 0
    ) -> Response:
        """Return the reference card as PDF."""
        return Response(await aside.do(_card, number), media_type="application/pdf", headers=as_file(f"card-{number}", "pdf"))


def _card(number: int) -> bytes:
    # Comes with OpenCV, which the page needs for nothing else.
    from moodify.skin.card_pdf import card_pdf

    return card_pdf(number)
