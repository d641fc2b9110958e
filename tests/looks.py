"""Looks of a person, for tests."""

from datetime import UTC, datetime, timedelta

from moodify.skin.lighting import Lighting
from moodify.skin.measure import Measure
from moodify.skin.shot import Shot
from moodify.skin.summing import summarise

FIRST = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
GOOD = Lighting(1.0, 1.0, 1.0, 1.0)


def a_measure(value):
    return value if isinstance(value, Measure) else Measure.of(value)


def a_shot(oiliness=20.0, texture=30.0, redness=45.0, tone=70.0, *, lighting=GOOD, card=1, eyes_px=150.0):
    measures = (a_measure(value) for value in (oiliness, texture, redness, tone))
    return Shot(*measures, gloss={"t_zone": 0.02, "cheeks": 0.01}, lighting=lighting, card=card, eyes_px=eyes_px)


def a_look(*shots, day=0, earlier=(), skin_type=None, duration_s=4.0, date_doubted=False, **shot):
    when = FIRST + timedelta(days=day)
    return summarise(shots or [a_shot(**shot)] * 3, looked_at=when, duration_s=duration_s, earlier=earlier, skin_type=skin_type, date_doubted=date_doubted)
