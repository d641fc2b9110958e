"""Prints the payloads that ``scripts/test-homeassistant`` holds to Home Assistant's schema: with all commands, and with none."""

from __future__ import annotations

import json
from typing import get_args

from moodify import __version__
from moodify.cloud.homeassistant import discovery
from moodify.cloud.topics import Topics
from moodify.config.model import CommandName

STATES = {
    "status": {"state": "online"},
    "now": {
        "people": 1,
        "mood": "happy",
        "since": "2026-01-01T12:00:00+00:00",
        "confidence": 0.85,
        "valence": 0.8,
        "arousal": 0.4,
        "playing": True,
        "title": "A song",
        "artist": "A band",
        "next": None,
        "reason": 'Happy, and the music "fits"',
        "goal": "match",
    },
    "state": {"camera": {"state": "ok", "message": "camera"}, "speaker": {"state": "ok", "message": "speaker"}, "privacy": False, "version": __version__},
    "health": {"ok": True, "reasons": []},
}
"""What the device publishes, for Home Assistant's templates to read."""

EXPECTED = {
    "presence": "ON",
    "mood": "happy",
    "valence": "0.8",
    "arousal": "0.4",
    "confidence": "85",
    "playing": "A song by A band",
    "reason": 'Happy, and the music "fits"',
    "health": "OFF",
    "privacy": "OFF",
    "goal": "match",
}
"""What they are to say."""

if __name__ == "__main__":
    topics = Topics("m-abcdefghijklmnop")
    payloads = [json.loads(discovery(topics, name="Moodify", version=__version__, commands=commands)) for commands in (get_args(CommandName), ())]
    print(json.dumps({"payloads": payloads, "states": {topics.state(name): state for name, state in STATES.items()}, "expected": EXPECTED}))  # noqa: T201 - read by another program
