"""Privacy by hand and by the hour, and what a finger at the button may yet mean."""

import json
import logging
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, time, timedelta

import pytest
from daemon_house import CALM, HAPPY, RULES, DaemonHouse

from moodify.config.model import PrivacyHours
from moodify.daemon import signals as sig
from moodify.daemon.kept import LAST_SEEN_KEY, PRIVACY_ASKED_KEY, Kept, privacy_kept, privacy_standing
from moodify.daemon.privacy import ByHand, Standing, after, standing
from moodify.daemon.reset import ResetAnswer
from moodify.errors import StoreBusy
from moodify.panel.gestures import Gestures
from moodify.panel.port import Press, Show
from moodify.store import reserve
from moodify.store.prepare import prepare
from moodify.store.settings import Settings
from moodify.store.store import Store
from moodify.system.clock import RecordingClock
from waiting import wait_until

NIGHT = (PrivacyHours(start=time(22), end=time(7)),)
BOTH = (*NIGHT, PrivacyHours(start=time(12), end=time(13)))


def at(text):
    return datetime.fromisoformat(f"2026-01-{text}").replace(tzinfo=UTC)


def day(*does, hours=NIGHT):
    """Return whether privacy is on after each moment; what is done by hand stands as (moment, on or off)."""
    by_hand, seen = ByHand(), []
    for step in does:
        moment, wish = step if isinstance(step, tuple) else (step, None)
        if wish is not None:
            by_hand = after(by_hand, hours, at(moment), on=wish, origin="page")
        # It comes back from a restart as it was.
        by_hand = ByHand.from_json(by_hand.as_json())
        seen.append(standing(by_hand, hours, at(moment)).on)
    return seen


@pytest.mark.parametrize(
    ("does", "seen"),
    [
        (("05 21:59:59", "05 22:00", "06 06:59:59", "06 07:00", "06 22:00"), [False, True, True, False, True]),
        (("05 23:00", ("05 23:10", False), "06 06:59", "06 07:00", "06 21:59", "06 22:00"), [True, False, False, False, False, True]),
        ((("05 23:00", False), ("05 23:30", True), "06 07:00"), [False, True, False]),
        ((("05 20:00", True), "05 23:00", "06 07:01", "06 21:00", ("06 21:30", False), "06 22:00"), [True, True, True, True, False, True]),
        ((("05 20:00", True), ("05 23:00", False), "06 06:00", "06 07:00", "06 22:30"), [True, False, False, False, True]),
        ((("05 23:00", False), ("05 23:05", False), "05 23:06"), [False, False, False]),
        ((("05 09:00", False), ("05 09:00", True), ("05 09:01", True), ("05 09:02", False)), [False, True, True, False]),
    ],
    ids=["by the hour", "opened at night", "opened and closed again", "closed by day stays closed", "closed by day opened at night", "opened twice", "no hours now"],
)
def test_what_is_done_by_hand_in_privacy_hours_holds_until_the_next_of_their_times(does, seen):
    assert day(*does) == seen


def test_the_times_of_all_hours_count():
    assert day("05 11:59", "05 12:00", ("05 12:30", False), "05 12:59", "05 13:00", "05 22:00", hours=BOTH) == [False, True, False, False, False, True]


def test_while_the_clock_is_known_to_be_wrong_any_hour_may_be_one_of_privacy():
    noon = at("05 12:00")
    assert not standing(ByHand(), NIGHT, noon).on
    assert standing(ByHand(), NIGHT, noon, doubtful=True) == Standing(on=True, why="until the clock is right, for privacy.hours go by it")
    # Whoever has no hours needs no clock for them.
    assert not standing(ByHand(), (), noon, doubtful=True).on


def test_by_hand_the_camera_may_look_although_the_clock_is_wrong_until_it_is_right():
    opened = after(ByHand(), NIGHT, at("05 12:00"), on=False, origin="button", doubtful=True)
    assert not standing(opened, NIGHT, at("05 12:01"), doubtful=True).on
    # The right time, in the night: what was opened by another date holds no more.
    assert standing(opened, NIGHT, at("20 23:00")).on
    assert not standing(opened, NIGHT, at("20 12:00")).on
    assert after(opened, NIGHT, at("05 12:02"), on=True, origin="button", doubtful=True) == ByHand()


@pytest.mark.parametrize("asked_by", ["the house", "another program"])
def test_a_clock_behind_what_was_noted_closes_the_camera_where_there_are_hours(tmp_path, asked_by):
    prepare(tmp_path / "moodify.db")
    with Store(tmp_path / "moodify.db") as store, Settings(tmp_path / "moodify.db") as settings:
        for noted, closed in ((datetime.now(UTC) - timedelta(hours=1), False), (datetime.now(UTC) + timedelta(hours=1), True)):
            settings.put(LAST_SEEN_KEY, noted.isoformat())
            kept = Kept(store, settings, retention_days=365, privacy_hours=NIGHT, local=lambda: at("05 12:00"), synchronised=lambda: False)
            stands = kept.privacy_standing if asked_by == "the house" else privacy_standing(settings, NIGHT, at("05 12:00"), synchronised=lambda: False)
            assert stands.on is closed
            assert not Kept(store, settings, retention_days=365, synchronised=lambda: False).privacy


def test_a_clock_that_steps_back_while_it_runs_closes_the_camera_and_opens_it_once_it_is_right(tmp_path, monkeypatch):
    class Stepped(datetime):
        by = timedelta()

        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + cls.by

    prepare(tmp_path / "moodify.db")
    monkeypatch.setattr("moodify.daemon.kept.datetime", Stepped)
    with Store(tmp_path / "moodify.db") as store, Settings(tmp_path / "moodify.db") as settings:
        kept = Kept(store, settings, retention_days=365, privacy_hours=NIGHT, local=lambda: at("05 12:00"), synchronised=lambda: False)
        kept.housekeep()
        assert not kept.privacy
        Stepped.by = timedelta(days=-3000)
        assert kept.privacy
        kept.housekeep()
        Stepped.by = timedelta()
        assert not kept.privacy


def test_why_is_said():
    night = at("05 23:00")
    assert standing(ByHand(), NIGHT, night).why == "until 07:00, by privacy.hours"
    assert standing(after(ByHand(), NIGHT, night, on=False, origin="button"), NIGHT, night).why == "turned off at the button until 07:00, though these are privacy hours"
    assert standing(ByHand(closed=True), NIGHT, night).why == "turned on by hand"
    assert standing(ByHand(), (), night).why == ""


@pytest.mark.parametrize(
    ("origin", "said"),
    [
        ("button", "turned on at the button"),
        ("keys", "turned on with a key of the terminal"),
        ("page", "turned on from the page"),
        ("command", "turned on by moodify privacy"),
        ("afar", "turned on from afar"),
    ],
)
def test_where_it_was_turned_on_is_said_after_a_restart_too(origin, said):
    before = after(ByHand(), (), at("05 23:00"), on=True, origin=origin)
    # Turned on once more, elsewhere: it was on.
    kept = ByHand.from_json(json.loads(json.dumps(after(before, (), at("05 23:01"), on=True, origin="page").as_json())))
    assert standing(kept, (), at("06 12:00")).why == said


def test_what_a_version_before_has_kept_is_understood():
    assert ByHand.from_json({"closed": False, "opened_until": "2026-01-05T07:00:00+00:00"}) == ByHand(opened_until=at("05 07:00"))
    assert standing(ByHand.from_json(True), (), at("05 12:00")) == Standing(on=True, why="turned on by hand")


def test_a_command_from_afar_and_a_press_say_where_they_came_from(tmp_path):
    with DaemonHouse(tmp_path) as house:
        house.sees_well().put(sig.CommandTaken("privacy", "1"))
        house.await_reason("Privacy is on (turned on from afar)")
        house.press(Press.PRIVACY)
        house.await_reason("Privacy is off: the camera looks again")
        house.press(Press.PRIVACY)
        house.await_reason("Privacy is on (turned on at the button)")
        assert house.watcher._privacy_why == "turned on at the button"


def test_a_clock_that_ran_ahead_does_not_keep_the_camera_open_for_ever():
    ahead = after(ByHand(), NIGHT, at("20 23:00"), on=False, origin="page")
    assert standing(ahead, NIGHT, at("05 23:00")).on


@pytest.mark.parametrize(
    "kept",
    [
        True,
        "?",
        {"closed": False},
        {"closed": "no", "opened_until": None, "origin": "page"},
        {"closed": False, "opened_until": "soon"},
        {"closed": False, "opened_until": "2026-01-05T07:00:00"},
    ],
)
def test_what_can_not_be_read_counts_as_closed(kept):
    assert ByHand.from_json(kept) == ByHand(closed=True)


def house_at(folder, text, hours=("22:00", "07:00")):
    """A house whose local time is a moment of January 2026."""
    local = datetime.fromisoformat(f"2026-01-{text}").astimezone()
    rules = RULES | {"privacy": {"hours": [{"start": hours[0], "end": hours[1]}]}}
    return DaemonHouse(folder, rules=rules, clock=RecordingClock(local.astimezone(UTC)))


def test_the_camera_closes_by_the_hour_and_opens_again_and_no_error_is_logged(tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    with house_at(tmp_path, "05 21:59:50") as house:
        house.sees_well().show(2, HAPPY)
        assert not house.watcher._privacy
        house.clock.advance_to(house.t_s + 20)
        house.await_reason("Privacy is on (until 07:00, by privacy.hours): the camera is closed")
        assert house.watcher._privacy
        wait_until(lambda: house.board.now()["privacy"], what="privacy on the page")
        house.clock.advance_to(house.t_s + timedelta(hours=9).total_seconds())
        house.await_reason("Privacy is off: the camera looks again")
        assert not house.watcher._privacy
    assert caplog.records == []


def test_the_reason_is_another_where_the_next_time_is(tmp_path):
    local = datetime.fromisoformat("2026-01-06T05:59:50").astimezone()
    rules = RULES | {"privacy": {"hours": [{"start": "22:00", "end": "07:00"}, {"start": "06:00", "end": "08:00"}]}}
    with DaemonHouse(tmp_path, rules=rules, clock=RecordingClock(local.astimezone(UTC))) as house:
        assert house.kept.privacy_standing.why == "until 06:00, by privacy.hours"
        house.clock.advance_to(house.t_s + 20)
        wait_until(lambda: (house.watcher._privacy, house.watcher._privacy_why) == (True, "until 07:00, by privacy.hours"))
        assert not any("Privacy is" in reason for reason in house.reasons())


def test_a_press_for_privacy_in_its_hours_opens_the_camera_until_they_end_over_a_restart(tmp_path):
    with house_at(tmp_path, "05 23:00") as house:
        assert house.kept.privacy
        house.press(Press.PRIVACY)
        house.await_reason("Privacy is off (turned off at the button until 07:00")
        house.end()
    with house_at(tmp_path, "05 23:30") as house:
        assert not house.kept.privacy
    with house_at(tmp_path, "06 22:30") as house:
        assert house.kept.privacy


def test_what_another_program_asks_for_is_done_once_and_taken_out(tmp_path):
    with DaemonHouse(tmp_path) as house, Settings(house.path) as other:
        house.sees_well()
        other.put(PRIVACY_ASKED_KEY, {"on": True, "id": "1"})
        wait_until(lambda: other.get(PRIVACY_ASKED_KEY) is None)
        house.await_reason("Privacy is on (turned on by moodify privacy)")
        assert house.watcher._privacy


def test_what_is_asked_for_while_the_database_is_locked_is_done_once_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr("moodify.daemon.kept.RETRY_S", 0.1)
    with DaemonHouse(tmp_path) as house, Settings(house.path) as other:
        house.waits_for_no_lock()
        other.put(PRIVACY_ASKED_KEY, {"on": True, "id": "1"})
        with closing(sqlite3.connect(house.path, isolation_level=None)) as locker:
            locker.execute("BEGIN IMMEDIATE")
            wait_until(lambda: house.watcher._privacy)
            # Somebody at the device wants otherwise, before the question could be taken out.
            house.put(sig.PrivacyWanted(on=False, origin="page"))
            wait_until(lambda: not house.watcher._privacy)
            locker.execute("ROLLBACK")
        wait_until(lambda: other.get(PRIVACY_ASKED_KEY) is None)
        assert not house.watcher._privacy


def test_while_a_finger_is_down_the_look_changes_no_music(house):
    house.show(1, HAPPY)
    house.press(let_go=False).show(3, CALM)
    assert "play done" not in house.told
    assert house.lamp.shown[-1] == (Show.LOOKING, None)
    house.put(sig.Pressed(Press.LET_GO, "button"))
    house.await_reason("You asked: ")
    wait_until(lambda: house.lamp.shown[-1][0] is not Show.LOOKING)


@pytest.mark.parametrize("hold", [Press.PAUSE, Press.PRIVACY, Press.RESET, Press.STUCK])
def test_a_hold_means_what_it_ends_with_and_not_the_look_that_it_began_with(house, hold):
    house.show(1, HAPPY).press(let_go=False).show(3, HAPPY).press(hold).look(HAPPY)
    assert not [reason for reason in house.reasons() if reason.startswith("You asked: happy")]


def test_a_second_press_turns_the_look_into_the_next_song(house):
    house.show(10, HAPPY)
    assert house.told[-1] == "play done"
    house.press().press(Press.NEXT).show(4, HAPPY)
    asked = [reason for reason in house.reasons() if reason.startswith("You ")]
    assert [reason.split()[1] for reason in asked] == ["skipped"]


def test_a_hold_for_a_reset_says_that_there_is_nothing_to_reset(house, caplog):
    caplog.set_level(logging.INFO)
    house.show(1, HAPPY).press(let_go=False).press(Press.RESET)
    house.await_reason("The page is off or could not be opened, so no password can be reset there")
    assert "no password can be reset there" in caplog.text
    wait_until(lambda: house.lamp.shown[-1] == (Show.NOTHING_TO_DO, None))
    house.show(5, HAPPY)
    assert house.lamp.shown[-1][0] is not Show.NOTHING_TO_DO


def a_hold_for(seconds):
    """What a button that is held for so long tells, with a look every 40 ms."""
    gestures = Gestures()
    told = list(gestures.pressed(0.0))
    for number in range(round(seconds / 0.04)):
        told += gestures.look(number * 0.04, down=True)
    gestures.let_go(seconds)
    return [*told, *gestures.look(seconds + 0.04, down=False)]


def held(house, seconds):
    for press in a_hold_for(seconds):
        house.press(press, let_go=False)
    return house.look(HAPPY)


def test_a_hold_of_16_s_calls_what_resets_and_does_nothing_else(tmp_path):
    resets = []

    def reset():
        resets.append(1)
        return ResetAnswer(done=True, said="Choose a new password on the page within ten minutes")

    with DaemonHouse(tmp_path, reset_held=reset) as house:
        house.sees_well().show(10, HAPPY).put(sig.CommandTaken("mood", "1", {"mood": "calm", "minutes": 30}))
        wait_until(lambda: house.courier.answers)
        house.show(10, HAPPY)
        orders, privacy = [told for told in house.told if "done" in told], house.kept.privacy_standing
        held(house, 16)
        house.await_reason("Choose a new password on the page")
        wait_until(lambda: house.lamp.shown[-1] == (Show.HOLD_RESET, None))
        house.show(5, HAPPY)
        assert resets == [1]
        assert [told for told in house.told if "done" in told] == orders
        assert house.kept.privacy_standing == privacy
        assert house.board.now()["override"]["mood"] == "calm"
        assert house.lamp.shown[-1][0] is not Show.HOLD_RESET


def test_a_short_press_ends_a_mood_that_was_named(house):
    house.show(2, HAPPY).put(sig.CommandTaken("mood", "1", {"mood": "calm", "minutes": 30}))
    wait_until(lambda: house.board.now()["override"] is not None)
    held(house, 0.2)
    wait_until(lambda: house.board.now()["override"] is None)


def test_a_reset_that_fails_is_answered_and_ends_nothing(tmp_path):
    def reset():
        raise StoreBusy("the database is locked; it is tried again")

    with DaemonHouse(tmp_path, reset_held=reset) as house:
        held(house.sees_well(), 20)
        house.await_reason("The password can't be reset now: the database is locked")
        assert house.end() == 0


def test_a_button_that_is_stuck_for_minutes_resets_nothing_and_keeps_nobody_else_from_looking(tmp_path, caplog):
    resets = []
    with DaemonHouse(tmp_path, reset_held=lambda: resets.append(1)) as house:
        stuck = a_hold_for(200)
        assert stuck == [Press.SCAN, Press.STUCK]
        for press in stuck:
            house.sees_well().press(press, let_go=False)
        house.show(3, HAPPY)
        # The light is not left looking, and a look from the page comes to its answer although the button is down.
        wait_until(lambda: house.lamp.shown[-1][0] is not Show.LOOKING)
        house.put(sig.Pressed(Press.SCAN, "page")).show(4, HAPPY)
        house.await_reason("You asked: happy")
        assert resets == []
    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == [
        "The button has been down for a minute: it is stuck, or wired wrongly. It counts again once it is up"
    ]


def test_only_what_was_done_is_taken_out_and_not_what_was_asked_for_since(tmp_path):
    with DaemonHouse(tmp_path) as house:
        house.end()
        with Settings(house.path) as settings:
            settings.put(PRIVACY_ASKED_KEY, {"on": True, "id": "2"})
            settings.remove(PRIVACY_ASKED_KEY, {"on": True, "id": "1"})
            assert settings.get(PRIVACY_ASKED_KEY) == {"on": True, "id": "2"}
            settings.remove(PRIVACY_ASKED_KEY, {"on": True, "id": "2"})
            assert settings.get(PRIVACY_ASKED_KEY) is None


def test_privacy_on_a_full_disk_takes_the_room_that_was_kept_for_that(tmp_path, monkeypatch):
    path = tmp_path / "moodify.db"
    prepare(path)
    assert reserve.beside(path).exists()
    with Store(path) as store, Settings(path) as settings:
        kept = Kept(store, settings, retention_days=365)
        writes = settings.put
        monkeypatch.setattr(shutil, "disk_usage", lambda _folder: shutil._ntuple_diskusage(10**9, 10**9, 0))

        class Full:
            """Settings on a disk that has room once something was deleted."""

            def __getattr__(self, name):
                return getattr(settings, name)

            def put(self, key, value):
                if reserve.beside(path).exists():
                    raise StoreBusy("the disk is full")
                writes(key, value)

        kept._settings = Full()
        kept.keep("music", {"played": 1})
        assert settings.get("music") is None
        assert reserve.beside(path).exists()
        kept.set_privacy(on=True, origin="page")
        assert (privacy_kept(settings), settings.get("music")) == (True, {"played": 1})
        assert not reserve.beside(path).exists()
