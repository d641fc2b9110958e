"""A desk for looks at skin, for tests and for looking at the page: its levers are what the world would pull."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from moodify.errors import NoSuchUser, NotPermitted
from moodify.skin.capture import Guidance, Step
from moodify.skin.lighting import Lighting
from moodify.skin.measure import Measure
from moodify.skin.record import Trait
from moodify.skin.shot import Shot
from moodify.skin.summing import SHOTS, summarise
from moodify.web.skin_port import KeptLook, LookNow, Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from uuid import UUID

    from moodify.errors import MoodifyError
    from moodify.skin.record import FaceRecord

_NO_CARD: Final = "no reference card is in view; hold it beside your chin"
_NOTHING: Final = Standing(opted_in_at=None, shared=False)


def shots_of(levels: Mapping[Trait, float], *, spread: float = 1.0, card: int | None = None, light: float = 0.9) -> Sequence[Shot]:
    """Return the shots of a look in which these traits were measured, ``spread`` points apart."""

    def measure(trait: Trait, off: float) -> Measure:
        return Measure.of(min(max(levels[trait] + off, 0.0), 100.0)) if trait in levels else Measure.missing(_NO_CARD)

    return [
        Shot(
            oiliness=measure(Trait.OILINESS, off),
            texture=measure(Trait.TEXTURE, off),
            redness=measure(Trait.REDNESS, off),
            tone=measure(Trait.TONE, off),
            gloss={"t_zone": 0.02, "cheeks": 0.01},
            lighting=Lighting(light, 1.0, 1.0, 1.0),
            card=card,
            eyes_px=140.0,
        )
        for off in (-spread, 0.0, spread)
    ]


class FakeSkin:
    """Implements :class:`moodify.web.skin_port.SkinKeeping` and :class:`~moodify.web.skin_port.SkinLooking`; thread-safe.

    Args:
        knows: whether somebody has an id.
    """

    def __init__(self, knows: Callable[[UUID], bool] = lambda _user: True) -> None:
        """Begin with nobody who allows anything."""
        self._changed = threading.Condition(threading.RLock())
        self._knows = knows
        self._standing: dict[UUID, Standing] = {}
        self._looks: dict[UUID, list[KeptLook]] = {}
        self._now: dict[UUID, LookNow] = {}
        self._skin_types: dict[UUID, int | None] = {}
        self._keep: dict[UUID, bool] = {}
        self._portrait = False
        self._broken: MoodifyError | None = None
        self._refusal: MoodifyError | None = None
        self.told: list[str] = []
        """What was told in the room, oldest first."""

    # Keeping.

    def standing(self, user: UUID) -> Standing:
        """Return what a person allows."""
        with self._changed:
            self._maybe_fail()
            return self._standing.get(user, _NOTHING)

    def opt_in(self, user: UUID) -> Standing:
        """Allow looks."""
        with self._changed:
            self._maybe_fail()
            if not self._knows(user):
                raise NoSuchUser("there is no account of this id; look at the list of people")
            return self._standing.setdefault(user, Standing(opted_in_at=datetime.now(UTC), shared=False))

    def opt_out(self, user: UUID) -> None:
        """Allow no looks any more, and forget them."""
        with self._changed:
            self._maybe_fail()
            self._standing.pop(user, None)
            self._looks.pop(user, None)

    def share(self, user: UUID, *, on: bool) -> Standing:
        """Let the newest look leave, or not."""
        with self._changed:
            self._standing[user] = replace(self._allowed(user), shared=on)
            return self._standing[user]

    def looks(self, user: UUID) -> Sequence[KeptLook]:
        """Return a person's looks, the oldest first."""
        with self._changed:
            self._maybe_fail()
            return sorted(self._looks.get(user, ()), key=lambda look: look.record.looked_at)

    def keep(self, user: UUID, record: FaceRecord) -> KeptLook:
        """Keep a look."""
        with self._changed:
            self._allowed(user)
            kept = KeptLook(uuid4(), record)
            self._looks.setdefault(user, []).append(kept)
            return kept

    def remove(self, user: UUID, look: UUID) -> bool:
        """Forget one look."""
        with self._changed:
            self._maybe_fail()
            had = self._looks.get(user, [])
            self._looks[user] = [each for each in had if each.id != look]
            return len(self._looks[user]) < len(had)

    # Looking.

    def begin(self, user: UUID, name: str, *, skin_type: int | None, keep: bool = True) -> LookNow:
        """Begin to look."""
        with self._changed:
            self._allowed(user)
            if self._refusal is not None:
                raise self._refusal
            self.told.append(f"{name} begins")
            self._skin_types[user], self._keep[user] = skin_type, keep
            return self._tell(user, None)

    def now(self, user: UUID, after: int = 0, timeout_s: float = 0.0) -> LookNow | None:
        """Return how a person's look stands."""
        with self._changed:
            self._changed.wait_for(lambda: user not in self._now or self._now[user].version > after or self._now[user].is_over, timeout=timeout_s)
            return self._now.get(user)

    def end(self, user: UUID) -> None:
        """End it without a result."""
        with self._changed:
            now = self._now.pop(user, None)
            if now is not None and not now.is_over:
                self.told.append("over")
            self._changed.notify_all()

    # The levers.

    def looking(self, user: UUID) -> bool:
        """Return whether a person's look goes on."""
        with self._changed:
            return user in self._now and not self._now[user].is_over

    def guide(self, user: UUID, step: Step, taken: int = 0) -> None:
        """Let the camera see what calls for a step."""
        with self._changed:
            self._tell(user, Guidance(step, taken, hold_exposure=step is Step.HOLD_STILL))

    def see(self, user: UUID, levels: Mapping[Trait, float], *, card: int | None = None, spread: float = 1.0) -> LookNow:
        """Let the look end with these levels."""
        with self._changed:
            record = self._record(user, datetime.now(UTC), shots_of(levels, spread=spread, card=card), self._skin_types.get(user))
            kept = self.keep(user, record).id if self._keep[user] and not self._portrait else None
            self._now[user] = LookNow(self._version(user), Guidance(Step.DONE, SHOTS, hold_exposure=False), record, kept, None, self._portrait)
            self.told.append("over")
            self._changed.notify_all()
            return self._now[user]

    def give_up(self, user: UUID, why: str) -> None:
        """Let the look end without a result."""
        with self._changed:
            self._now[user] = LookNow(self._version(user), None, None, None, why)
            self.told.append("over")
            self._changed.notify_all()

    def have_seen(
        self, user: UUID, at: datetime, levels: Mapping[Trait, float], *, card: int | None = None, spread: float = 1.0, light: float = 0.9, skin_type: int | None = None
    ) -> KeptLook:
        """Keep a look of another day, compared with those before it; a person who has not opted in does by it."""
        with self._changed:
            self._standing.setdefault(user, Standing(opted_in_at=at, shared=False))
            return self.keep(user, self._record(user, at, shots_of(levels, spread=spread, card=card, light=light), skin_type))

    def have_lived(self, user: UUID, looks: int = 9, *, until: datetime | None = None) -> None:
        """Keep weekly looks of somebody whose skin shines the more the later it is, and had the card in view in the later half."""
        until = datetime.now(UTC) - timedelta(days=1) if until is None else until
        for n in range(looks):
            ago = looks - 1 - n
            wave = (0.0, 2.6, -1.8, 1.1, -2.4, 0.7)[n % 6]
            levels = {Trait.OILINESS: 24.0 + 1.6 * n + wave, Trait.TEXTURE: 41.0 - wave}
            colours = {Trait.REDNESS: 46.0 + wave / 2, Trait.TONE: 66.0 - wave / 3}
            has_card = n >= looks // 2
            self.have_seen(user, until - timedelta(days=7 * ago), levels | (colours if has_card else {}), card=0 if has_card else None, spread=0.8 + abs(wave) / 3)

    def show_portraits(self) -> None:
        """Let the camera be the sample."""
        with self._changed:
            self._portrait = True

    def refuse(self, error: MoodifyError | None) -> None:
        """Let no look begin; None heals."""
        with self._changed:
            self._refusal = error

    def fail_with(self, error: MoodifyError | None) -> None:
        """Let what is kept be out of reach; None heals."""
        with self._changed:
            self._broken = error

    def _record(self, user: UUID, at: datetime, shots: Sequence[Shot], skin_type: int | None) -> FaceRecord:
        earlier = [look.record for look in self.looks(user) if look.record.looked_at < at]
        return summarise(shots, looked_at=at, duration_s=6.4, earlier=earlier, skin_type=skin_type)

    def _allowed(self, user: UUID) -> Standing:
        self._maybe_fail()
        standing = self._standing.get(user, _NOTHING)
        if standing.opted_in_at is None:
            raise NotPermitted("you have not allowed looks at your skin; allow them first, on the page under your skin")
        return standing

    def _tell(self, user: UUID, guidance: Guidance | None) -> LookNow:
        self._now[user] = LookNow(self._version(user), guidance, None, None, None)
        self._changed.notify_all()
        return self._now[user]

    def _version(self, user: UUID) -> int:
        return self._now[user].version + 1 if user in self._now else 1

    def _maybe_fail(self) -> None:
        if self._broken is not None:
            raise self._broken
