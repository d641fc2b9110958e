"""The small parts: places, the demo's overlay, the board, the house that the page sees, parts, threads."""

import threading
from pathlib import Path

import pytest

from moodify.config.load import parse
from moodify.config.model import Config
from moodify.daemon import demo
from moodify.daemon.board import Board
from moodify.daemon.house import RunningHouse
from moodify.daemon.parts import WORDING_S, Part
from moodify.daemon.places import folder_of
from moodify.daemon.signals import Pressed, PrivacyWanted, State, ThreadDied
from moodify.daemon.threads import guarded
from moodify.errors import CannotWork, RetryLater, SignInNeeded
from moodify.panel.port import Press
from moodify.types import EventKind


def test_data_lies_where_it_is_configured_else_where_the_service_says_else_in_the_home():
    own = parse('[store]\nfolder = "~/moods"', source="test")
    assert folder_of(own, environment={"STATE_DIRECTORY": "/var/lib/moodify"}) == Path.home() / "moods"
    assert folder_of(Config(), environment={"STATE_DIRECTORY": "/var/lib/moodify:/var/lib/other"}) == Path("/var/lib/moodify")
    assert folder_of(Config(), environment={}) == Path.home() / ".local/share/moodify"


def test_the_demo_shortens_waiting_times_but_not_the_owners():
    config = demo.shortened(parse("[music]\ndwell_s = 300.0\nstart_when_silent = false\n[mood]\nsteady_s = 9.0", source="test"))
    assert (config.music.dwell_s, config.music.start_when_silent, config.mood.steady_s) == (300.0, False, 9.0)
    assert config.music.max_changes == demo.SHORTENED["music"]["max_changes"]
    assert config.mood.absent_s == demo.SHORTENED["mood"]["absent_s"]


def test_every_shortened_key_is_one_of_the_configuration_and_shorter_or_more():
    plain = Config()
    for section, values in demo.SHORTENED.items():
        for key, value in values.items():
            before = getattr(getattr(plain, section), key)
            assert value > before if key in {"max_changes", "start_when_silent"} else value < before


@pytest.mark.parametrize(("own", "starts"), [("", True), ("[music]\nstart_when_silent = false", False)])
def test_a_simulated_speaker_may_be_started_unless_the_owner_says_no(own, starts):
    assert demo.may_start(parse(own, source="test")).music.start_when_silent is starts


def test_the_board_tells_only_what_differs_and_only_while_somebody_watches():
    board, told = Board({"n": 1}), []
    stop = board.watch(lambda: told.append(board.now()))
    board.put_up({"n": 1})
    board.put_up({"n": 2})
    stop()
    stop()
    board.put_up({"n": 3})
    assert (told, board.now()) == ([{"n": 2}], {"n": 3})


def test_a_watcher_that_stops_while_it_is_told_disturbs_nobody():
    board, told, stops = Board({}), [], []

    def leave():
        stops.pop()()

    stops.append(board.watch(leave))
    board.watch(lambda: told.append(1))
    board.put_up({"n": 1})
    board.put_up({"n": 2})
    assert told == [1, 1]


def test_presses_on_the_page_come_to_the_queue():
    queue = []
    house = RunningHouse(Board({"n": 1}), queue.append, lambda limit: [limit])
    house.press_scan()
    house.press_next()
    house.press_pause()
    house.set_privacy(True)
    assert [(signal.press, signal.origin) for signal in queue[:3]] == [(Press.SCAN, "page"), (Press.NEXT, "page"), (Press.PAUSE, "page")]
    assert all(isinstance(signal, Pressed) for signal in queue[:3])
    assert queue[3] == PrivacyWanted(on=True, origin="page")
    assert (house.now(), house.history(7)) == ({"n": 1}, [7])


class Notes:
    def __init__(self):
        self.noted = []

    def note(self, kind, data):
        self.noted.append((kind, data))


def test_a_part_notes_what_changes_and_logs_only_another_state(caplog):
    caplog.set_level("INFO")
    notes = Notes()
    part = Part(EventKind.CAMERA, notes, "opening")
    for state, message in ((State.STARTING, "opening"), (State.OK, "a camera"), (State.OK, "a camera"), (State.DEGRADED, "lost"), (State.DEGRADED, "still lost")):
        part.becomes(state, message)
    # In an outage the wording changes with each try: that is shown, but told once in five minutes.
    assert [data["message"] for _, data in notes.noted] == ["a camera", "lost"]
    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING"]
    assert part.now() == {"state": "degraded", "message": "still lost"}
    part.noted_s -= WORDING_S
    part.becomes(State.DEGRADED, "still lost")
    assert notes.noted[-1][1]["message"] == "still lost"


@pytest.mark.parametrize(("error", "state"), [(RetryLater("soon"), State.DEGRADED), (SignInNeeded("sign in"), State.BROKEN), (CannotWork("never"), State.BROKEN)])
def test_an_error_says_how_a_part_is(error, state):
    part = Part(EventKind.SPEAKER, Notes(), "starting")
    part.failed(error)
    assert part.now() == {"state": state.value, "message": str(error)}


@pytest.mark.parametrize("error", [RuntimeError("bang"), SystemExit(3), KeyboardInterrupt()], ids=lambda error: type(error).__name__)
def test_no_thread_dies_silently(error, caplog):
    signals = []

    def die():
        raise error

    thread = guarded("dj", die, signals.append)
    thread.start()
    thread.join(30)
    assert signals == [ThreadDied("dj", error)]
    assert "The dj ended unexpectedly" in caplog.text


def test_a_thread_that_ends_as_it_should_says_nothing():
    signals, ran = [], threading.Event()
    thread = guarded("dj", ran.set, signals.append)
    thread.start()
    thread.join(30)
    assert (ran.is_set(), signals, thread.daemon) == (True, [], True)
