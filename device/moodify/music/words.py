"""How songs, people and durations are said to a person, and how a reason stays short."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from moodify.types import MoodReading, Track

#: A reason is read on a phone and a small page.
REASON_MAX = 200
#: Two songs and what happens to them fit in a reason.
TITLE_MAX = 40
ARTIST_MAX = 30
#: Of a message from elsewhere, so that what follows it still fits.
MESSAGE_MAX = 130

_MINUTE_S = 60.0
_HOUR_S = 3600.0
#: What is said in words, by its number.
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def name(track: Track | None) -> str:
    """Say a song: ``'Lemon Bicycle' by Lantern Parade``."""
    if track is None:
        return "what plays"
    title = short(track.title, TITLE_MAX)
    return f"'{title}' by {short(track.artist, ARTIST_MAX)}" if track.artist else title


def span(seconds: float) -> str:
    """Say a duration the way people do: ``40 s``, ``2 min``, ``1.5 h``."""
    if round(seconds) < 2 * _MINUTE_S:
        return f"{seconds:.0f} s"
    if round(seconds) < 2 * _HOUR_S:
        return f"{seconds / _MINUTE_S:.0f} min"
    return f"{seconds / _HOUR_S:.1f} h".replace(".0 h", " h")


def several(people: int) -> str:
    """Say that there are several: ``two people, ``; nothing for one, whom nobody needs to be told of."""
    return "" if people <= 1 else f"{NUMBERS[people] if people < len(NUMBERS) else 'many'} people, "


def felt_for(reading: MoodReading, people: int, now_s: float) -> str:
    """Say how long a mood has lasted: ``Happy for 2 min``, ``Two people, happy for 2 min``."""
    said = f"{several(people)}{reading.mood.value} for {span(now_s - reading.since_s)}"
    return said[0].upper() + said[1:]


def short(text: str, longest: int) -> str:
    """Cut a text that is longer than ``longest`` characters, at a word where there is one near."""
    if len(text) <= longest:
        return text
    cut = text[: longest - 1]
    at_word = cut.rsplit(" ", 1)[0]
    return (at_word if len(at_word) > longest // 2 else cut).rstrip(" ,.;:-") + "…"


def message(error: object) -> str:
    """Say an error in the middle of a sentence, without its full stop."""
    return short(str(error).rstrip(" ."), MESSAGE_MAX)


def because(said: str, *parts: str | None) -> str:
    """Add to what is said the reasons that there are, as far as there is room: the first is the one that matters most."""
    for part in parts:
        if part and len(said) + len(part) + 2 <= REASON_MAX:
            said = f"{said}, {part}"
    return said
