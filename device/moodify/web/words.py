"""Events as sentences for the page's list of what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moodify.types import EventKind, Mood

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from moodify.types import Event


def sentence(event: Event) -> str:
    """Say in plain words what happened.

    Reads from the event's data, by kind: presence ``people``; mood ``mood`` and ``confidence``; decision ``reason``; order ``act``, ``status``
    and, where there are, ``track`` (title) and ``message``; camera, speaker, link ``state`` and ``message``; health ``reasons``; summary ``events`` and ``moods``.
    What is absent is left out of the sentence. Data that no Moodify has written, which a card can make of any, are told as such.
    """
    try:
        return _WORDS[event.kind](event.data)
    except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError):
        return "Something that there are no words for."


def _presence(data: Mapping[str, Any]) -> str:
    people = data.get("people")
    match people:
        case None if "people" in data:
            return "The camera can't see who is there."
        case 0:
            return "Nobody is in front of the camera."
        case 1:
            return "Somebody is in front of the camera."
        case int():
            return f"{people} people are in front of the camera."
        case _:
            return "Who is in front of the camera has changed."


def _mood(data: Mapping[str, Any]) -> str:
    mood = data.get("mood")
    match mood:
        case Mood.ABSENT:
            return "The room is empty."
        case Mood.UNSURE:
            return "The mood of the room can't be told."
        case str():
            confidence = data.get("confidence")
            share = f", {confidence:.0%} sure" if isinstance(confidence, int | float) else ""
            return f"The room feels {mood}{share}."
        case _:
            return "The mood of the room has changed."


def _decision(data: Mapping[str, Any]) -> str:
    return _ended(data.get("reason"), "A decision about the music was taken")


_ORDER_WORDS = {
    "queue": "Play next",
    "play": "Play now",
    "pause": "Pause",
    "resume": "Go on",
    "skip": "Skip",
    "volume": "Change the volume",
}
_STATUS_WORDS = {"done": "done", "failed": "failed", "dropped": "overtaken by a newer one"}


def _order(data: Mapping[str, Any]) -> str:
    act = _ORDER_WORDS.get(str(data.get("act")), "An order to the speaker")
    track = data.get("track")
    title = track.get("title") if isinstance(track, dict) else track
    what = f"{act}: {title}" if title else act
    status = _STATUS_WORDS.get(str(data.get("status")))
    words = f"{what} ({status})" if status else what
    message = data.get("message")
    return f"{words}. {_ended(message, '')}" if message else f"{words}."


_STATE_WORDS = {"ok": "works", "degraded": "is limited", "broken": "needs somebody", "off": "is off", "starting": "is starting"}


def _part(name: str) -> Callable[[Mapping[str, Any]], str]:
    def words(data: Mapping[str, Any]) -> str:
        head = f"The {name} {_STATE_WORDS.get(str(data.get('state')), 'has changed')}"
        message = data.get("message")
        return f"{head}: {_ended(message, '')}" if message else f"{head}."

    return words


def _health(data: Mapping[str, Any]) -> str:
    reasons = data.get("reasons")
    return _ended("; ".join(map(str, reasons)), "") if reasons else "The appliance is well."


def _summary(data: Mapping[str, Any]) -> str:
    count = sum(data.get("events", {}).values())
    moods = sorted(data.get("moods", {}).items(), key=lambda spent: -spent[1])
    spent = ", ".join(f"{mood} for {round(seconds / 60)} min" for mood, seconds in moods)
    return _ended(spent and f"{count} events are told as one: {spent}", f"{count} events are told as one")


def _ended(text: object, otherwise: str) -> str:
    said = str(text) if text else otherwise
    return said if said.endswith((".", "!", "?", "…")) else f"{said}."


_WORDS: Mapping[EventKind, Callable[[Mapping[str, Any]], str]] = {
    EventKind.PRESENCE: _presence,
    EventKind.MOOD: _mood,
    EventKind.DECISION: _decision,
    EventKind.ORDER: _order,
    EventKind.CAMERA: _part("camera"),
    EventKind.SPEAKER: _part("speaker"),
    EventKind.LINK: _part("link"),
    EventKind.HEALTH: _health,
    EventKind.SUMMARY: _summary,
}
