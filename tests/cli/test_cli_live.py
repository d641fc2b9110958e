"""The live view, as a terminal gets it."""

import io
from copy import deepcopy

import pytest
from rich.console import Console

from moodify.cli.live import COLOURS, LiveView, plain, render
from moodify.daemon.board import Board
from moodify.panel.keys import KEYS
from moodify.types import Emotion, Mood, NotJudged
from waiting import wait_until

#: Everything that rich would take for markup, in every text that comes from outside.
TRICKY = "[/] [red]x[/red] [bold \\[ [link=x]y"

NOW = {
    "seen": {"people": 0, "faces": []},
    "mood": None,
    "music": {"playing": False, "title": None, "artist": None, "speaker": None, "next": None, "reason": None},
    "camera": {"state": "starting", "message": "opening"},
    "speaker": {"state": "starting", "message": "starting"},
    "link": {"state": "off", "message": "off"},
    "privacy": False,
    "device": "m-abc",
    "version": "1",
    "demo": False,
}
FACE = {"box": [0, 0, 1, 1], "emotion": "happiness", "confidence": 0.93, "not_judged": None}
MOOD = {"mood": "happy", "confidence": 0.9, "since": "2026-01-01T00:00:00+00:00", "valence": 0.5, "arousal": -0.25}


def changed(**changes):
    return deepcopy(NOW) | changes


def drawn(now, *, keys=True, notice="a notice", width=120):
    console = Console(file=io.StringIO(), record=True, width=width, force_terminal=True, color_system="truecolor")
    console.print(render(now, keys=keys, notice=notice))
    return console.export_text()


def test_a_house_that_starts_knows_nothing_yet():
    text = drawn(NOW)
    assert all(words in text for words in ("nobody", "not sure yet", "nothing", "opening", "m-abc", "space look again", "a notice"))


def test_every_press_has_its_key_in_the_line():
    shown = drawn(NOW)
    named = {press for key, press in KEYS.items() if f" {'space' if key == ' ' else key} " in shown}
    assert named == set(KEYS.values())


def test_it_shows_what_is_seen_felt_and_played_and_why():
    music = {"playing": True, "title": "Sun", "artist": "Ra", "speaker": "Kitchen", "next": "Moon by Io", "reason": "Happy for 4 s"}
    text = drawn(changed(seen={"people": 1, "faces": [FACE]}, mood=MOOD, music=music), keys=False)
    assert all(words in text for words in ("1 person", "happiness 93%", "happy", "90%", "pleasant +0.50", "excited -0.25", "▶ Sun – Ra", "Moon by Io", "Happy for 4 s"))
    assert "space look again" not in text


@pytest.mark.parametrize("reason", list(NotJudged))
def test_a_face_that_is_not_judged_says_why(reason):
    face = FACE | {"emotion": None, "confidence": None, "not_judged": reason.value}
    assert reason.value in drawn(changed(seen={"people": 1, "faces": [face]}))


@pytest.mark.parametrize("state", ["ok", "degraded", "broken", "off", "starting"])
def test_every_state_of_a_part_is_shown_with_its_message(state):
    assert "what to do" in drawn(changed(camera={"state": state, "message": "what to do"}))


def test_every_mood_and_emotion_has_its_look():
    assert set(COLOURS) == set(Mood)
    for mood in Mood:
        assert mood.value in drawn(changed(mood=MOOD | {"mood": mood.value}))
    for emotion in Emotion:
        assert emotion.value in drawn(changed(seen={"people": 2, "faces": [FACE | {"emotion": emotion.value}]}))


def test_privacy_stands_in_the_title():
    assert "privacy" in drawn(changed(privacy=True), keys=False).splitlines()[0]


def test_a_songs_name_is_no_markup():
    music = dict.fromkeys(("title", "artist", "speaker", "next", "reason"), TRICKY) | {"playing": True}
    part = {"state": "broken", "message": TRICKY}
    text = drawn(changed(music=music, camera=part, speaker=part, link=part), notice=TRICKY, width=300)
    # Title and artist, next, reason, three parts and the notice.
    assert text.count(TRICKY) == 8


def test_without_a_terminal_each_change_is_one_line():
    stream = io.StringIO()
    board = Board(NOW)
    lines = [plain(NOW)]
    with LiveView(Console(file=stream, force_terminal=False)) as view:
        view.attach(_House(board), keys=False, notice=lambda: TRICKY)
        for people in (1, 2):
            now = changed(seen={"people": people, "faces": []}, camera={"state": "broken", "message": TRICKY})
            _await(stream, lines[-1])
            board.put_up(now)
            lines.append(plain(now))
        _await(stream, lines[-1])
    assert stream.getvalue().splitlines() == [TRICKY, *lines]


def test_a_terminal_is_left_with_its_cursor():
    stream = io.StringIO()
    with LiveView(Console(file=stream, force_terminal=True, width=80)) as view:
        view.attach(_House(Board(NOW)), keys=True, notice=str)
        _await(stream, "nobody")
    assert stream.getvalue().rindex("\x1b[?25h") > stream.getvalue().rindex("\x1b[?25l")


class _House:
    def __init__(self, board):
        self.now, self.watch = board.now, board.watch


def _await(stream, text):
    wait_until(lambda: text in stream.getvalue(), what=f"drawing {text!r}")
