"""What happens in the house, and what the conductor makes of it."""

import logging
import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime

import pytest
from daemon_house import CALM, HAPPY, RULES, DaemonHouse

from moodify.daemon import kept
from moodify.daemon import signals as sig
from moodify.daemon.kept import LAST_SEEN_KEY, PRIVACY_KEY, last_seen
from moodify.errors import NotAllowed, SignInNeeded, SpeakerUnavailable
from moodify.music.hours import ANY_MAY_BE_QUIET
from moodify.music.song import Candidate
from moodify.panel.port import Press, Show
from moodify.store.prepare import prepare
from moodify.store.settings import Settings
from moodify.system.clock import RecordingClock
from moodify.system.health import Health
from moodify.types import Act, Decision, Mood, Observation, OrderStatus, Track
from waiting import wait_until

PLAYS = ["1 here", "happy", "decide play happy", "play done"]
SONG = Track("spotify:track:0000000000000000000000", "A", "B", 1000)
HEALTH = Health(disk_free_mb=1, load_1min=0.1, rss_mb=1.0, rss_anon_mb=1.0, uptime_s=1.0)


def lose_camera(house, message="unplugged; plug it in"):
    return house.put(sig.CameraIs(sig.State.DEGRADED, message))


# What happens -> what is told, decided and ordered.
JOURNEYS = {
    "somebody happy gets fitting music": (lambda house: house.show(7, HAPPY), PLAYS),
    "nobody gets nothing": (lambda house: house.show(7), ["0 here", "absent"]),
    "a mood that does not last changes nothing": (lambda house: house.show(3, HAPPY), ["1 here", "happy"]),
    "whoever leaves is waited for, and then the music pauses": (lambda house: house.show(7, HAPPY).show(9), [*PLAYS, "0 here", "absent", "decide pause absent", "pause done"]),
    "whoever comes back hears it go on": (
        lambda house: house.show(7, HAPPY).show(9).show(2, HAPPY),
        [*PLAYS, "0 here", "absent", "decide pause absent", "pause done", "1 here", "decide resume absent", "resume done", "happy"],
    ),
    "another mood's music is queued": (lambda house: house.show(10, HAPPY).show(9, CALM), [*PLAYS, "calm", "decide queue calm", "queue done"]),
    "a press is answered at once": (lambda house: house.show(1, HAPPY).press().show(2, HAPPY), ["1 here", "happy asked", "decide play happy", "play done"]),
    "a burst of presses is one question": (lambda house: house.show(1, HAPPY).press().press().show(2, HAPPY), ["1 here", "happy asked", "decide play happy", "play done"]),
    "a press before an empty room says so": (lambda house: house.show(1).press().show(4), ["0 here", "absent asked"]),
    "not this plays another": (lambda house: house.show(10, HAPPY).press(Press.NEXT).show(1, HAPPY), [*PLAYS, "decide play happy", "play done"]),
    "a pause holds until a press": (
        lambda house: house.show(10, HAPPY).press(Press.PAUSE).show(12, HAPPY).press(Press.PAUSE).show(1, HAPPY),
        [*PLAYS, "decide pause happy", "pause done", "decide resume happy", "resume done"],
    ),
}


@pytest.mark.parametrize("journey", JOURNEYS)
def test_journey(house, journey):
    happens, told = JOURNEYS[journey]
    happens(house)
    assert house.told == told
    assert [order.split()[0] for order in told if order.endswith("done")] == [order.verb for order in house.speaker.orders]


def test_a_press_while_the_camera_is_lost_says_what_is_wrong(house):
    lose_camera(house).press()
    house.await_reason("Can't look again: unplugged; plug it in")


def test_a_camera_that_is_lost_while_it_looks_answers_the_press(house):
    house.show(1, HAPPY).press()
    lose_camera(house)
    house.await_reason("Can't look again: unplugged")
    wait_until(lambda: house.lamp.shown[-1] == (Show.DEGRADED, None))


def test_the_mood_of_a_lost_camera_chooses_no_music(house):
    house.show(3, HAPPY)
    lose_camera(house)
    house.clock.advance_to(house.t_s + 30)
    house.put(sig.PlaybackSeen(house.player.player.playback()))
    wait_until(lambda: house.reasons()[-1] == "Can't tell the mood: nothing is started", what=house.reasons)
    assert house.speaker.orders == ()
    wait_until(lambda: (house.board.now()["mood"], house.board.now()["seen"]["people"]) == (None, None))
    assert house.told[-1] == "None here"
    house.sees_well().look()
    assert house.speaker.orders == ()
    house.show(5, HAPPY)
    assert house.told[3:] == PLAYS


def test_privacy_forgets_who_was_there_and_answers_presses(house):
    house.show(3, HAPPY).press(Press.PRIVACY).press()
    house.await_reason("turn privacy off to look again")
    # What is told is shown afterwards.
    now = house.look().board.now()
    assert (now["privacy"], now["mood"], now["seen"]) == (True, None, {"people": None, "faces": []})
    assert house.watcher._privacy is True


def test_the_light_shows_privacy_once_the_camera_is_closed(house):
    house.show(3, HAPPY).press(Press.PRIVACY).look()
    assert (Show.PRIVACY, None) not in house.lamp.shown
    house.put(sig.CameraIs(sig.State.OFF, "off for privacy")).look()
    assert house.lamp.shown[-1] == (Show.PRIVACY, None)


def test_a_press_that_privacy_overtakes_is_answered(house):
    house.show(3, HAPPY).press().press(Press.PRIVACY)
    house.await_reason("Privacy is on")


def test_after_privacy_it_knows_nobody_any_more(house):
    house.show(3, HAPPY).press(Press.PRIVACY).press(Press.PRIVACY).sees_well().show(2, HAPPY)
    assert house.told == ["1 here", "happy", "None here", "1 here", "happy"]


def test_a_frame_that_was_on_its_way_when_privacy_began_is_not_looked_at(house):
    house.press(Press.PRIVACY).show(2, HAPPY)
    assert house.told == []


def test_privacy_survives_a_restart(tmp_path):
    with DaemonHouse(tmp_path) as house:
        house.press(Press.PRIVACY)
        house.end()
    with DaemonHouse(tmp_path) as house:
        assert house.kept.privacy is True
        house.put(sig.PrivacyWanted(on=False, origin="page")).end()
    with DaemonHouse(tmp_path) as house:
        assert house.kept.privacy is False


def test_privacy_begins_while_the_database_is_locked_and_is_kept_later(tmp_path, monkeypatch):
    monkeypatch.setattr("moodify.daemon.kept.RETRY_S", 0.1)
    with DaemonHouse(tmp_path) as house:
        house.waits_for_no_lock()
        with closing(sqlite3.connect(house.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            house.press(Press.PRIVACY)
            wait_until(lambda: house.watcher._privacy)
            wait_until(lambda: house.kept._again_s is not None)
            other.execute("ROLLBACK")
        with Settings(house.path) as settings:
            wait_until(lambda: settings.get(PRIVACY_KEY, default=False))
        assert house.end() == 0


def test_a_press_waits_for_the_songs_of_its_own_mood(tmp_path):
    with DaemonHouse(tmp_path, dj=False) as house:
        house.sees_well().press()
        for number in range(12):
            house.put(sig.Seen(_look(number / 5, HAPPY)))
        house.await_reason("Looking for happy music")
        house.put(sig.CandidatesFound(Mood.CALM, (Candidate(SONG),)))
        house.put(sig.CandidatesFound(Mood.HAPPY, (Candidate(SONG),)))
        house.await_reason("You asked: happy, playing 'A' by B now")


def test_a_press_whose_songs_cannot_be_found_says_why_and_is_over(tmp_path):
    with DaemonHouse(tmp_path, dj=False) as house:
        house.sees_well().press()
        for number in range(12):
            house.put(sig.Seen(_look(number / 5, HAPPY)))
        house.await_reason("Looking for happy music")
        house.put(sig.CandidatesFound(Mood.HAPPY, (), SpeakerUnavailable("it sleeps; wake it", retry_after_s=1)))
        house.await_reason("Can't look for happy music: it sleeps; wake it")
        house.put(sig.CandidatesFound(Mood.HAPPY, (Candidate(SONG),))).end()
    assert not [reason for reason in house.reasons() if reason.startswith("You asked")]


def test_the_answer_to_a_press_is_left_to_be_read(house):
    house.show(1).press().show(4)
    house.await_reason("Looked again and saw nobody")
    house.show(3)
    assert "Looked again and saw nobody" in house.board.now()["music"]["reason"]
    house.show(9)
    assert "Looked again" not in house.board.now()["music"]["reason"]


def test_by_a_clock_that_is_known_to_be_wrong_no_quiet_hour_is_over(tmp_path):
    quiet_at_night = RULES | {"music": RULES["music"] | {"quiet_hours": {"start": "22:00:00", "end": "07:00:00"}}}
    prepare(tmp_path / "moodify.db")
    with Settings(tmp_path / "moodify.db") as settings:
        settings.put(LAST_SEEN_KEY, "2999-01-01T00:00:00+00:00")
    with DaemonHouse(tmp_path, rules=quiet_at_night, synchronised=lambda: False) as house:
        assert house.sees_well().show(7, HAPPY).told == ["1 here", "happy"]
        assert ANY_MAY_BE_QUIET in house.reasons()
        house.press().show(2, HAPPY).await_reason("when it may be a quiet hour only because you asked")


def test_music_begins_as_soon_as_the_network_has_set_the_clock_and_waits_for_no_reading_of_health(tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "CLOCK_S", 0.0)
    noon = datetime(2026, 1, 5, 12, tzinfo=UTC)
    hour = noon.astimezone().hour
    far = {"start": f"{(hour + 8) % 24:02}:00:00", "end": f"{(hour + 16) % 24:02}:00:00"}
    prepare(tmp_path / "moodify.db")
    with Settings(tmp_path / "moodify.db") as settings:
        settings.put(LAST_SEEN_KEY, "2999-01-01T00:00:00+00:00")
    set_by_network = threading.Event()
    with DaemonHouse(tmp_path, rules=RULES | {"music": RULES["music"] | {"quiet_hours": far}}, clock=RecordingClock(noon), synchronised=set_by_network.is_set) as house:
        house.sees_well().show(7, HAPPY)
        assert ANY_MAY_BE_QUIET in house.reasons()
        set_by_network.set()
        house.show(20, HAPPY)
        wait_until(lambda: "play done" in house.told, what=lambda: str(house.told))
        assert house.health_readings == 1


def test_what_a_person_paused_stays_paused_over_a_restart(tmp_path):
    with DaemonHouse(tmp_path, remembers=True) as house:
        house.sees_well().show(7, HAPPY).press(Press.PAUSE).show(1, HAPPY)
        assert house.told[-1] == "pause done"
    with DaemonHouse(tmp_path, remembers=True) as house:
        house.sees_well().show(9, HAPPY)
        house.await_reason("Somebody paused the music")
        assert house.speaker.orders == ()


@pytest.mark.parametrize("then", [Press.PAUSE, Press.NEXT, Press.PRIVACY])
def test_a_press_that_waits_for_songs_is_over_with_the_next_press(tmp_path, then):
    with DaemonHouse(tmp_path, dj=False) as house:
        house.sees_well().press()
        for number in range(12):
            house.put(sig.Seen(_look(number / 5, HAPPY)))
        house.await_reason("Looking for happy music")
        house.press(then).put(sig.CandidatesFound(Mood.HAPPY, (Candidate(SONG),))).end()
    assert not [reason for reason in house.reasons() if reason.startswith("You asked: happy")]


def test_a_press_whose_songs_never_come_is_answered_in_time(tmp_path):
    with DaemonHouse(tmp_path, dj=False) as house:
        house.sees_well().press()
        for number in range(12):
            house.put(sig.Seen(_look(number / 5, HAPPY)))
        house.await_reason("Looking for happy music")
        house.clock.advance_to(house.t_s + 25)
        house.await_reason("Found no happy music in time: press again")
        house.put(sig.CandidatesFound(Mood.HAPPY, (Candidate(SONG),))).end()
    assert not [reason for reason in house.reasons() if reason.startswith("You asked: happy")]


def test_what_a_person_must_mend_stands_until_an_order_has_worked(house):
    order = sig.Order("1", Decision(Act.PLAY, "because", Mood.HAPPY, SONG))
    house.put(sig.OrderEnded(order, OrderStatus.FAILED, 0.1, NotAllowed("orders need Spotify Premium; upgrade the account")))
    house.put(sig.PlaybackSeen(house.player.player.playback())).show(1, HAPPY)
    assert house.board.now()["speaker"]["state"] == "broken"
    house.press().show(3, HAPPY)
    wait_until(lambda: house.board.now()["speaker"]["state"] == "ok")


def test_a_playlist_that_cannot_be_read_is_played_as_a_whole_for_a_press(tmp_path):
    rules = {**RULES, "music": {**RULES["music"], "moods": {"happy": {"uri": "spotify:playlist:0000000000000000000000"}}}}
    with DaemonHouse(tmp_path, dj=False, rules=rules) as house:
        house.sees_well().press()
        for number in range(12):
            house.put(sig.Seen(_look(number / 5, HAPPY)))
        house.await_reason("Looking for happy music")
        house.put(sig.CandidatesFound(Mood.HAPPY, ()))
        house.await_reason("You asked: happy, playing your playlist for happy now")


def _look(t_s, *faces):
    return Observation(t_s, faces, moved=True)


@pytest.mark.parametrize(
    ("signal", "code", "said"),
    [
        (sig.ThreadDied("dj", RuntimeError("bang")), 1, "The dj ended by an error, and Moodify with it: bang"),
        (sig.Stop("the camera can't work", failed=True), 1, "the camera can't work"),
        (sig.Stop("40 seconds are over"), 0, "40 seconds are over"),
        (sig.RecordingEnded(), 0, "the recording has ended"),
        (sig.Pressed(Press.QUIT, "keys"), 0, "a key asked for it"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_run_ends_and_says_why(house, caplog, signal, code, said):
    caplog.set_level(logging.INFO)
    assert house.put(signal).await_end() == code
    assert said in caplog.text


def test_an_order_under_way_at_the_end_is_told(house):
    house.show(7, HAPPY)
    house.speaker.slow(0.2)
    house.press(Press.PAUSE).put(sig.Stop("enough"))
    house.await_end()
    assert house.told[-2:] == ["decide pause happy", "pause done"]


def test_what_goes_wrong_at_the_speaker_is_said_and_heals(house):
    house.show(3, HAPPY)
    house.put(sig.PlaybackSeen(None, SpeakerUnavailable("asleep; wake it")))
    wait_until(lambda: house.board.now()["speaker"] == {"state": "degraded", "message": "asleep; wake it"})
    house.put(sig.PlaybackSeen(None, SignInNeeded("sign in again")))
    wait_until(lambda: house.board.now()["speaker"] == {"state": "broken", "message": "sign in again"})
    wait_until(lambda: house.lamp.shown[-1] == (Show.NEEDS_PERSON, None), what=lambda: house.lamp.shown)
    house.put(sig.PlaybackSeen(house.player.player.playback()))
    wait_until(lambda: house.board.now()["speaker"]["state"] == "ok")
    assert [event["data"]["state"] for event in house.events if event["kind"] == "speaker"][-3:] == ["degraded", "broken", "ok"]


def test_the_same_state_twice_is_no_news(house):
    for _ in range(3):
        house.put(sig.LinkIs(sig.State.OK, "connected"))
    house.look()
    assert [event["data"]["state"] for event in house.events if event["kind"] == "link"] == ["ok"]


def test_health_is_read_at_the_start_and_published_with_its_reasons(house):
    house.put(sig.HealthRead(HEALTH)).look()
    assert house.health_readings == 1
    with Settings(house.path) as settings:
        assert last_seen(settings) is not None
    (event,) = [event for event in house.events if event["kind"] == "health"]
    assert "1 MB are free" in event["data"]["reasons"][0]
    shown = house.courier.published["health"]
    assert (shown["ok"], shown["reasons"], shown["outbox"]) == (False, event["data"]["reasons"], {"waiting": 0, "merged": 0, "lost": 0, "refused": 0})


def test_what_is_published_has_no_frames_in_it(house):
    house.show(3, HAPPY)
    assert house.courier.published["now"]["mood"] == "happy"
    assert set(house.courier.published) == {"now", "state"}
    assert "faces" not in str(house.courier.published)


def test_the_watchdog_hears_whether_the_watcher_lives(house, monkeypatch):
    house.look()
    assert "WATCHDOG=1" in house.systemd
    monkeypatch.setattr("moodify.daemon.watcher.ALIVE_S", 0.0)
    house.look()
    fed = house.systemd.count("WATCHDOG=1")
    house.look()
    assert house.systemd.count("WATCHDOG=1") == fed


def test_systemd_is_told_ready_once_the_camera_is_open_or_said_why_not(house):
    house.look()
    ready = [line for line in house.systemd if line.startswith("READY=1")]
    assert len(ready) == 1
    house.put(sig.CameraIs(sig.State.BROKEN, "unplugged")).look()
    assert house.systemd.count(ready[0]) == 1
    assert "STATUS=camera broken: unplugged" in house.systemd


def test_the_light_shows_looking_then_the_mood_that_plays(house):
    house.show(1, HAPPY).press().show(3, HAPPY)
    wait_until(lambda: house.lamp.shown[-1] == (Show.PLAYING, Mood.HAPPY))
    shown = [what for what, _ in house.lamp.shown]
    assert [what for what in shown if what in {Show.LOOKING, Show.PLAYING}] == [Show.LOOKING, Show.PLAYING]
    assert set(shown[shown.index(Show.LOOKING) :]) <= {Show.LOOKING, Show.MOOD, Show.PLAYING}


def test_what_was_skipped_is_known_after_a_restart(tmp_path):
    with DaemonHouse(tmp_path, remembers=True) as house:
        assert house.taste.empty
        house.sees_well().show(10, HAPPY).press(Press.NEXT)
        house.await_reason("You skipped")
        house.look(HAPPY)
        house.end()
    with DaemonHouse(tmp_path, remembers=True) as house:
        assert not house.taste.empty


def test_with_learning_off_nothing_is_learned(tmp_path):
    rules = {**RULES, "music": {**RULES["music"], "learning": False}}
    with DaemonHouse(tmp_path, rules=rules, remembers=True) as house:
        house.sees_well().show(10, HAPPY).press(Press.NEXT)
        house.await_reason("You skipped")
        house.look(HAPPY)
        assert house.taste.empty


def test_what_a_person_should_know_of_the_speaker_is_shown_and_does_not_blink(house):
    house.speaker.add_device(house.speaker.name)
    house.show(10, HAPPY)
    wait_until(lambda: "2 speakers are called" in house.board.now()["speaker"]["message"], what=lambda: house.board.now()["speaker"])
    for _ in range(3):
        house.press(Press.NEXT)
        house.show(3, HAPPY)
    messages = [event["data"]["message"] for event in house.events if event["kind"] == "speaker"]
    assert len(messages) <= 3, messages
    assert "2 speakers are called" in messages[-1]


def test_each_press_during_quota_is_answered_by_the_hour_of_its_end(house):
    house.show(1, HAPPY)
    house.speaker.rate_limit(7200, "QUOTA_EXCEEDED")
    house.show(10, CALM)
    for _ in range(2):
        before = len(house.reasons())
        house.press()
        house.show(3, CALM)
        assert any("no requests until" in reason and "press again then" in reason for reason in house.reasons()[before:]), house.reasons()[before:]


def test_a_press_while_offline_is_told_to_press_again(house):
    house.show(1)
    house.speaker.cut_connection(100, before=True)
    house.show(1, CALM).press()
    house.show(3, CALM)
    assert any("press again" in reason for reason in house.reasons()), house.reasons()


def test_that_the_music_fits_is_said_for_certain_only_where_the_speaker_has_answered(house):
    house.press().show(5, HAPPY)
    house.press().show(6, HAPPY)
    wait_until(lambda: house.reasons()[-1].endswith(" goes on"), what=house.reasons)
    house.speaker.cut_connection(100, before=True)
    house.press().show(6, HAPPY)
    house.await_reason("goes on, as far as is known: the speaker does not say just now what it plays")
