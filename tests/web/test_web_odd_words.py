"""An event whose data no Moodify has written hides no other from the page's list."""

from datetime import UTC, datetime

import pytest

from moodify.types import Act, Event, EventKind
from moodify.web.words import sentence

ODD = [5, "x", [], {}, 10**400, None, {"x": "y"}, [[1]]]


@pytest.mark.parametrize("kind", list(EventKind))
@pytest.mark.parametrize("key", ["people", "mood", "confidence", "reason", "act", "track", "message", "state", "reasons", "events", "moods"])
def test_every_event_has_a_sentence(kind, key):
    for odd in ODD:
        data = {"mood": "calm", "confidence": 0.5} | {key: odd}
        assert sentence(Event("one", kind, datetime(2026, 11, 21, tzinfo=UTC), data)).strip()


def test_a_confidence_without_end_has_no_words():
    assert "no words" in sentence(Event("one", EventKind.MOOD, datetime(2026, 11, 21, tzinfo=UTC), {"mood": "calm", "confidence": 10**400}))


@pytest.mark.parametrize("act", sorted(set(Act) - {Act.KEEP}))
def test_every_order_is_told_by_what_it_does(act):
    told = sentence(Event("one", EventKind.ORDER, datetime(2026, 11, 21, tzinfo=UTC), {"act": act.value, "status": "done"}))
    assert told.endswith(" (done).")
    assert "An order" not in told
