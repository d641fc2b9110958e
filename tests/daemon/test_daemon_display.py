"""What the light says of the state of the house, and what counts for more."""

import pytest
from daemon_house import Lamp

from moodify.daemon.board import Board
from moodify.daemon.display import Display
from moodify.panel.port import Show
from moodify.system.notify import Notifier
from moodify.types import Mood
from moodify.web.fake import FakeHouse


def shown(*, mood=None, playing=False, scanning=False, answer=None, **states):
    now = FakeHouse().now()
    now = now | {part: {"state": states.get(part, "ok"), "message": "so"} for part in ("camera", "speaker", "link")}
    now["mood"] = None if mood is None else {"mood": mood.value, "confidence": 0.9, "since": "2026-01-05T12:00:00+00:00", "valence": 0.0, "arousal": 0.0}
    now["music"] = now["music"] | {"playing": playing}
    lamp = Lamp()
    Display(Board(now), lamp, Notifier(environ={}), lambda _name, _value: None).show(now, scanning=scanning, answer=answer)
    return lamp.shown[-1]


@pytest.mark.parametrize(
    ("state", "light"),
    [
        ({}, (Show.IDLE, None)),
        ({"mood": Mood.ABSENT}, (Show.IDLE, None)),
        ({"mood": Mood.CALM}, (Show.MOOD, Mood.CALM)),
        ({"mood": Mood.CALM, "playing": True}, (Show.PLAYING, Mood.CALM)),
        ({"playing": True}, (Show.PLAYING, None)),
        ({"mood": Mood.CALM, "playing": True, "link": "degraded"}, (Show.DEGRADED, None)),
        ({"mood": Mood.CALM, "speaker": "broken", "link": "degraded"}, (Show.NEEDS_PERSON, None)),
        ({"camera": "off", "playing": True, "speaker": "broken"}, (Show.PRIVACY, None)),
        ({"scanning": True, "playing": True, "speaker": "broken"}, (Show.LOOKING, None)),
        ({"answer": Show.NOTHING_TO_DO, "camera": "off"}, (Show.NOTHING_TO_DO, None)),
    ],
    ids=lambda value: " ".join(f"{key}={what}" for key, what in value.items()) or "nothing" if isinstance(value, dict) else str(value[0]),
)
def test_the_light_says_what_matters_most(state, light):
    assert shown(**state) == light
