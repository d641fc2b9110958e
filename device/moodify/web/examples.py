"""What the page shows, as examples for readers of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

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

FACE_RECORD: Final[dict[str, Any]] = {
    "looked_at": "2026-11-21T20:15:00Z",
    "date_doubted": False,
    "skin_score": 46.3,
    "skin_score_version": 1,
    "skin_score_parts": {"oiliness_level": 39.0, "pore_size": 53.5},
    "oiliness_level": 31.2,
    "pore_size": 40.6,
    "redness": None,
    "tone": None,
    "hydration_level": None,
    "elasticity_level": None,
    "confidence_score": 71.4,
    "confidence_parts": {"repeatability": 79.3, "light": 90.0},
    "analysis_duration_seconds": 6.4,
    "spread": {"oiliness_level": 1.2, "pore_size": 1.4},
    "against_usual": {
        "oiliness_level": {"usual": 26.8, "difference": 4.4, "uncertainty": 5.1, "looks": 9},
        "pore_size": {"usual": 42.0, "difference": -1.4, "uncertainty": 4.2, "looks": 9},
    },
    "gloss": {"cheeks": 0.0061, "t_zone": 0.0288},
    "conditions": ["looks as usual"],
    "skin_type": 2,
    "card": None,
    "eyes_px": 141.8,
    "shots": 3,
    "reasons": {
        "redness": "no reference card is in view; hold it beside your chin",
        "tone": "no reference card is in view; hold it beside your chin",
        "hydration_level": "not measurable with a camera",
        "elasticity_level": "not measurable with a camera",
    },
}
