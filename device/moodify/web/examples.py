"""What the page shows, as an example for readers of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from moodify.web.port import Now

NOW: Now = {
    "seen": {"people": 1, "faces": [{"box": [0.41, 0.22, 0.58, 0.47], "emotion": "happiness", "confidence": 0.96, "not_judged": None}]},
    "mood": {"mood": "happy", "confidence": 0.93, "since": "2026-03-01T18:20:00+00:00", "valence": 0.7, "arousal": 0.3},
    "music": {
        "playing": True,
        "title": "Pocketful of Noon",
        "artist": "Lantern Parade",
        "speaker": "Kitchen",
        "next": "Idle Loom by Field of Eight",
        "reason": "Happy for 2 min: playing \u2018Pocketful of Noon\u2019 by Lantern Parade, from your playlist for happy",
        "goal": "match",
        "volume": 40,
    },
    "camera": {"state": "ok", "message": "the Pi's camera"},
    "speaker": {"state": "ok", "message": "Kitchen"},
    "link": {"state": "ok", "message": "connected"},
    "privacy": False,
    "override": None,
    "device": "m-abcdefghijklmnop",
    "version": "0.1.0",
    "demo": False,
}
