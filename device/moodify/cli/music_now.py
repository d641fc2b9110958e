"""``moodify music now`` and ``moodify music why``: what plays and what was decided, read from the events on this device."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import typer

from moodify.config import find, load
from moodify.daemon.places import DATABASE, folder_of
from moodify.errors import PersonMustAct
from moodify.music.words import name, span
from moodify.store.lock import is_held
from moodify.types import Act, EventKind, Mood, OrderStatus, Track

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from moodify.config import Config
    from moodify.types import Event

#: Events that are looked through: some days of a household's.
_MOST = 2000
#: A running appliance writes its health at least every ``health_s`` and ``flush_s``; so much later something is wrong.
_SLACK_S = 60.0
#: The state of a speaker that works, and what stands between its name and what is to be known although it works.
_WELL, _MORE = "ok", ". "


@dataclass(frozen=True, slots=True)
class Playing:
    """What the speaker plays, as far as the appliance's own orders tell: what people did by other means is not in them."""

    track: Track | None = None
    """None where nothing was put on, or it has ended."""
    since: datetime | None = None
    upcoming: Track | None = None
    paused: datetime | None = None

    def at(self, now: datetime) -> Playing:
        """Return the same at a later time: a song that has ended is followed by the queued one."""
        if self.track is None or self.since is None or self.paused is not None or not self.track.duration_ms:
            return self
        end = self.since + timedelta(milliseconds=self.track.duration_ms)
        if now < end:
            return self
        return Playing() if self.upcoming is None else Playing(self.upcoming, end).at(now)

    def after(self, act: Act, track: Track | None, at: datetime) -> Playing:
        """Return what plays once an order was carried out."""
        before = self.at(at)
        match act:
            case Act.PLAY:
                return Playing(track, at)
            case Act.QUEUE:
                return Playing(track, at) if before.track is None else replace(before, upcoming=track)
            case Act.SKIP:
                return Playing(before.upcoming, at) if before.upcoming is not None else Playing()
            case Act.PAUSE:
                return replace(before, paused=at)
            case Act.RESUME if before.paused is not None and before.since is not None:
                return replace(before, since=before.since + (at - before.paused), paused=None)
        return before


def now(config_file: Path | None, *, as_json: bool) -> int:
    """Print the mood, what plays, what comes next, and what a person should know of the speaker; return the exit code."""
    config = load(find(config_file))
    events = _events(config)
    moment = datetime.now(UTC)
    newest = events[0].at
    age_s = (moment - newest).total_seconds()
    runs = is_held(folder_of(config))
    mood = _mood(events)
    people = _newest(events, EventKind.PRESENCE)
    ordered = _playing(reversed(events))
    playing = ordered.at(moment) if runs else Playing()
    last = ordered.at(newest).track or _put_on_last(events)
    decision = _newest(events, EventKind.DECISION)
    speaker = _speaker(config)
    if as_json:
        data = {
            "age_s": round(age_s, 1),
            "running": runs,
            "mood": None if mood is None else mood.data.get("mood"),
            "since": None if mood is None else mood.data.get("since"),
            "people": None if people is None else people.data.get("people"),
            "playing": _track_as_json(playing.track),
            "paused": playing.paused is not None,
            "next": _track_as_json(playing.upcoming),
            "last": _track_as_json(last),
            "reason": None if decision is None else decision.data.get("reason"),
            "speaker": None if speaker is None else {"state": speaker.data["state"], "message": speaker.data["message"], "at": speaker.at.isoformat(timespec="seconds")},
        }
        typer.echo(json.dumps(data, ensure_ascii=False, indent=2))
        return 0
    if runs:
        typer.echo(f"Mood    {_mood_words(mood, people, moment)}")
        typer.echo(f"Plays   {_playing_words(playing, moment)}")
        typer.echo(f"Next    {'not chosen yet' if playing.upcoming is None else name(playing.upcoming)}")
    else:
        typer.echo(f"Moodify does not run; last it played {'nothing' if last is None else name(last)}. Start it with: moodify run")
        typer.echo(f"Mood    {_mood_words(mood, people, newest)}, {span(age_s)} ago")
    if decision is not None:
        typer.echo(f"Why     {decision.data.get('reason')}")
    if speaker is not None and (speaker.data["state"] != _WELL or _MORE in speaker.data["message"]):
        typer.echo(f"Speaker {speaker.data['state']}, told {span((moment - speaker.at).total_seconds())} ago: {speaker.data['message']}")
    silent = runs and age_s > config.system.health_s + config.store.flush_s + _SLACK_S
    typer.echo(f"The newest news is {span(age_s)} old" + (": Moodify runs, but writes nothing down; look at its log." if silent else "."))
    return 0


def why(config_file: Path | None, *, last: int, as_json: bool) -> int:
    """Print the last decisions with their reasons, the newest last; return the exit code."""
    events = _events(load(find(config_file)))
    orders = {event.data.get("order"): event for event in events if event.kind is EventKind.ORDER}
    decisions = [event for event in events if event.kind is EventKind.DECISION][:last][::-1]
    if as_json:
        rows = [{"at": event.at.isoformat(timespec="seconds"), **event.data, "ended": _ended(event, orders)} for event in decisions]
        typer.echo(json.dumps({"decisions": rows}, ensure_ascii=False, indent=2))
        return 0
    today = datetime.now(UTC).astimezone().date()
    for event in decisions:
        local = event.at.astimezone()
        ended = _ended(event, orders)
        failed = "" if ended is None or ended["status"] == OrderStatus.DONE else f" ({ended['status']}{': ' + ended['message'] if ended['message'] else ''})"
        typer.echo(f"{local:%H:%M} {event.data.get('act', ''):6} {event.data.get('reason')}{failed}" if local.date() == today else _older(event, failed))
    if not decisions:
        typer.echo("Nothing was decided yet.")
    return 0


def _events(config: Config) -> list[Event]:
    """Return the newest events, the newest first; at least one."""
    from moodify.store.history import History

    path = folder_of(config) / DATABASE
    if path.is_file() and path.stat().st_size:
        with History(path) as history:
            events = history.recent(_MOST)
        if events:
            return events
    raise PersonMustAct(f"nothing has happened yet: {path} holds no events; start the appliance with: moodify run")


def _speaker(config: Config) -> Event | None:
    """Return the newest event of the speaker: only a change is one, so it may be older than the events that are looked through."""
    from moodify.store.history import History

    with History(folder_of(config) / DATABASE) as history:
        return history.newest(EventKind.SPEAKER)


def _newest(events: Sequence[Event], kind: EventKind) -> Event | None:
    return next((event for event in events if event.kind is kind), None)


def _mood(events: Sequence[Event]) -> Event | None:
    """Return the newest mood; None where nobody could be seen since."""
    for event in events:
        if event.kind is EventKind.MOOD:
            return event
        if event.kind is EventKind.PRESENCE and event.data.get("people") is None:
            return None
    return None


def _playing(oldest_first: Iterable[Event]) -> Playing:
    playing = Playing()
    for event in oldest_first:
        if event.kind is EventKind.ORDER and event.data.get("status") == OrderStatus.DONE and event.data.get("act") in list(Act):
            playing = playing.after(Act(event.data["act"]), _track(event.data.get("track")), event.at)
    return playing


def _put_on_last(events: Iterable[Event]) -> Track | None:
    """Return the song of the newest order that had one; of songs that have ended it is the last that was heard."""
    tracks = (_track(event.data.get("track")) for event in events if event.kind is EventKind.ORDER and event.data.get("status") == OrderStatus.DONE)
    return next((track for track in tracks if track is not None), None)


def _track(data: Any) -> Track | None:
    return Track(data["uri"], data["title"], data["artist"], data["duration_ms"]) if isinstance(data, dict) else None


def _track_as_json(track: Track | None) -> dict[str, Any] | None:
    return None if track is None else {"uri": track.uri, "title": track.title, "artist": track.artist, "duration_ms": track.duration_ms}


def _mood_words(mood: Event | None, people: Event | None, moment: datetime) -> str:
    if mood is None:
        return "not known: the camera sees nobody's mood"
    since = datetime.fromisoformat(mood.data["since"])
    lasts = span((moment - since).total_seconds())
    count = 0 if people is None else people.data.get("people") or 0
    if mood.data["mood"] == Mood.ABSENT:
        return "somebody is back, whose mood is not known yet" if count else f"nobody is there, for {lasts}"
    felt = "can't tell" if mood.data["mood"] == Mood.UNSURE else mood.data["mood"]
    return f"{felt}, for {lasts}, {'one person' if count == 1 else f'{count} people'}"


def _playing_words(playing: Playing, moment: datetime) -> str:
    if playing.track is None:
        return "nothing that Moodify has put on"
    if playing.paused is not None:
        return f"{name(playing.track)}, paused {span((moment - playing.paused).total_seconds())} ago"
    return name(playing.track) + ("" if playing.since is None else f", for {span((moment - playing.since).total_seconds())}")


def _ended(decision: Event, orders: dict[Any, Event]) -> dict[str, Any] | None:
    order = orders.get(decision.data.get("order")) if decision.data.get("order") is not None else None
    return None if order is None else {"status": order.data.get("status"), "message": order.data.get("message")}


def _older(event: Event, failed: str) -> str:
    return f"{event.at.astimezone():%d %b %H:%M} {event.data.get('act', ''):6} {event.data.get('reason')}{failed}"
