"""What is asked for from afar: what each command does, and that it is answered once."""

import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from daemon_house import HAPPY, RULES, DaemonHouse

from moodify.daemon import signals as sig
from moodify.daemon.diagnosis import BYTES_AT_MOST, diagnose
from moodify.daemon.kept import Kept
from moodify.daemon.override import KEY, Override
from moodify.daemon.snapshot import Facts, snapshot, summary
from moodify.daemon.wellbeing import sign_in_told
from moodify.errors import SpeakerUnavailable
from moodify.music.spotify.status import SignInStatus, Standing
from moodify.panel.port import Press
from moodify.store.prepare import prepare
from moodify.store.settings import Settings
from moodify.store.store import OutboxCounts, Store
from moodify.system.clock import RecordingClock
from moodify.system.health import Health
from moodify.types import Event, EventKind, Mood, MoodReading, OrderStatus, Playback, Speaker, Track
from waiting import wait_until

PLAYS = ["1 here", "happy", "decide play happy", "play done"]
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
WELL = Health(disk_free_mb=5_432, load_1min=0.1, rss_mb=100.0, rss_anon_mb=50.0, uptime_s=86_400.0, temperature_c=51.3)


def rules(**music):
    return {**RULES, "music": {**RULES["music"], **music}}


def command(house, name, **args):
    """Send a command; return how it was answered, once, and with which data."""
    command_id = f"id{uuid.uuid4()}"
    house.put(sig.CommandTaken(name, command_id, args))
    wait_until(lambda: command_id in house.courier.data, what=lambda: f"an answer to {name} among {house.courier.answers}")
    ((_, status, error),) = [answer for answer in house.courier.answers if answer[0] == command_id]
    return status, error if status == "error" else house.courier.data[command_id]


@pytest.fixture
def quiet(tmp_path):
    """A house that starts no silent speaker."""
    with DaemonHouse(tmp_path, rules=rules(start_when_silent=False)) as house:
        yield house.sees_well()


def test_rescan_looks_again(house):
    house.show(1, HAPPY)
    assert command(house, "rescan") == ("ok", None)
    assert "happy asked" in house.show(2, HAPPY).told


def test_rescan_starts_no_silent_speaker(quiet):
    quiet.show(1, HAPPY)
    assert command(quiet, "rescan") == ("ok", None)
    quiet.show(3, HAPPY)
    assert "happy asked" in quiet.told
    assert quiet.speaker.orders == ()


def test_rescan_in_privacy_is_answered_with_the_reason(house):
    house.press(Press.PRIVACY)
    status, error = command(house, "rescan")
    assert (status, error.startswith("Privacy is on")) == ("error", True)


def test_privacy_is_turned_on_and_never_off(house):
    for _ in range(2):
        assert command(house, "privacy") == ("ok", None)
        assert house.kept.privacy is True


def test_pause_and_resume_are_no_toggles(house):
    house.show(10, HAPPY)
    for name in ("pause", "pause", "resume", "resume"):
        assert command(house, name) == ("ok", None)
        house.look(HAPPY)
    assert house.told == [*PLAYS, "decide pause happy", "pause done", "decide resume happy", "resume done"]


def test_resume_while_nothing_is_known_of_the_speaker_does_not_pause_it(tmp_path):
    with DaemonHouse(tmp_path, dj=False) as house:
        house.put(sig.CommandTaken("resume", "id"))
        house.put(sig.PlaybackSeen(None, SpeakerUnavailable("it does not answer")))
        wait_until(lambda: house.courier.answers)
        _, status, error = house.courier.answers[-1]
        assert (status, "try again" in error) == ("error", True)
        assert house.told == []


def test_an_unknown_command_is_answered_with_that(house):
    assert command(house, "dance") == ("error", "dance is not known here")


# -- a mood


def test_a_named_mood_changes_the_music_at_once_and_shows(house):
    house.show(10, HAPPY)
    status, data = command(house, "mood", mood="calm", minutes=30)
    assert (status, data["mood"], data["music"]) == ("ok", "calm", "Looking for calm music")
    # It is answered first, and then shown.
    wait_until(lambda: house.board.now()["override"] == {"mood": "calm", "until": data["until"]}, what=house.board.now)
    house.show(8, HAPPY)
    assert any(reason.startswith("Asked from afar: calm, playing") for reason in house.reasons())
    assert house.told == [*PLAYS, "decide play calm", "play done"]
    now = house.board.now()
    assert (now["mood"]["mood"], now["override"]["mood"]) == ("happy", "calm")
    assert house.courier.published["now"]["override"] == now["override"]


def test_a_named_mood_starts_no_silent_speaker_and_says_so(quiet):
    quiet.show(1, HAPPY)
    status, data = command(quiet, "mood", mood="sad", minutes=30)
    assert (status, data["mood"]) == ("ok", "sad")
    assert "silent and is not started unasked" in data["music"]
    quiet.show(8, HAPPY)
    assert quiet.speaker.orders == ()


def test_a_named_mood_ends_by_itself_and_the_room_counts_again(house):
    house.show(10, HAPPY)
    command(house, "mood", mood="calm", minutes=1)
    house.show(50, HAPPY)
    assert house.board.now()["override"] is not None
    house.show(20, HAPPY)
    assert house.board.now()["override"] is None
    assert any("that was named is over" in reason for reason in house.reasons())
    wait_until(lambda: "decide queue happy" in house.show(2, HAPPY).told)


def test_a_named_mood_is_taken_back_by_null(house):
    house.show(10, HAPPY)
    command(house, "mood", mood="calm", minutes=60)
    for _ in range(2):
        assert command(house, "mood", mood=None) == ("ok", {"mood": None})
    assert house.look(HAPPY).board.now()["override"] is None


@pytest.mark.parametrize("look", [lambda house: house.press(), lambda house: command(house, "rescan")], ids=["a press", "a rescan"])
def test_a_named_mood_is_over_when_somebody_looks_again(house, look):
    house.show(10, HAPPY)
    command(house, "mood", mood="calm", minutes=60)
    look(house)
    house.show(3, HAPPY)
    assert house.board.now()["override"] is None
    assert "happy asked" in house.told


def test_a_mood_can_be_named_while_the_camera_is_closed(house):
    house.show(10, HAPPY).press(Press.PRIVACY)
    command(house, "mood", mood="calm", minutes=60)
    house.await_reason("Asked from afar: calm, playing")


def test_a_named_mood_survives_a_restart_for_the_time_that_is_left(tmp_path):
    with DaemonHouse(tmp_path) as house:
        command(house.sees_well(), "mood", mood="calm", minutes=60)
        until = house.courier.data[house.courier.answers[-1][0]]["until"]
        house.end()
    with DaemonHouse(tmp_path, clock=RecordingClock(NOON + timedelta(minutes=59))) as house:
        house.sees_well().look(HAPPY)
        assert house.board.now()["override"] == {"mood": "calm", "until": until}
        house.show(62, HAPPY)
        assert house.board.now()["override"] is None
        house.end()
    with DaemonHouse(tmp_path, clock=RecordingClock(NOON + timedelta(minutes=30))) as house:
        house.sees_well().look(HAPPY)
        assert house.board.now()["override"] is None


@pytest.fixture
def kept(tmp_path):
    prepare(tmp_path / "moodify.db")
    with Store(tmp_path / "moodify.db") as store, Settings(tmp_path / "moodify.db") as settings:
        yield Kept(store, settings, retention_days=1)


@pytest.mark.parametrize(
    "odd",
    [None, 5, {}, {"mood": "calm"}, {"mood": "absent", "until": "2026-01-05T13:00:00+00:00"}, {"mood": "calm", "until": "soon"}, {"mood": "calm", "until": "2026-01-05T13:00:00"}],
)
def test_what_is_odd_in_what_was_kept_is_no_named_mood(kept, odd):
    kept.keep(KEY, odd)
    assert Override(RecordingClock(NOON), kept).now() is None


def test_a_clock_that_runs_behind_after_a_restart_makes_a_named_mood_no_longer_than_any(kept):
    Override(RecordingClock(NOON + timedelta(days=300)), kept).name(Mood.SAD, 720)
    clock = RecordingClock(NOON)
    override = Override(clock, kept)
    clock.advance_to(720 * 60 - 1)
    assert not override.over()
    clock.advance_to(720 * 60)
    assert (override.over(), override.over(), override.now()) == (True, False, None)


def test_whoever_leaves_after_a_mood_was_named_is_missed_as_ever(kept):
    clock = RecordingClock(NOON)
    override = Override(clock, kept)
    clock.advance_to(100)
    gone = MoodReading(Mood.ABSENT, 0.0, 50.0)
    assert override.reading(gone, 0) == gone
    override.name(Mood.HAPPY, 10)
    assert override.reading(gone, 0).mood is Mood.HAPPY
    left = MoodReading(Mood.ABSENT, 0.0, 200.0)
    assert override.reading(left, 0) == left
    assert override.reading(left, 1) == MoodReading(Mood.HAPPY, 1.0, 100.0, people=1)
    assert override.reading(None, 0).mood is Mood.HAPPY


# -- volume and goal


def test_a_volume_is_answered_with_what_it_became(tmp_path):
    with DaemonHouse(tmp_path, rules=rules(volume_cap=40)) as house:
        house.sees_well().show(10, HAPPY)
        for percent, becomes in ((12, 12), (90, 40)):
            status, data = command(house, "volume", percent=percent)
            assert (status, data["percent"]) == ("ok", becomes)
            assert house.player.player.playback().speaker.volume_percent == becomes
            house.look(HAPPY)
        assert "not louder than that" in data["music"]


def test_a_volume_while_nothing_plays_is_answered_with_that(quiet):
    quiet.show(1, HAPPY)
    assert command(quiet, "volume", percent=10) == ("error", "Nothing plays, so the volume is left as it is")


def test_a_volume_that_the_speaker_does_not_take_is_answered_with_why(tmp_path):
    with DaemonHouse(tmp_path, dj=False) as house:
        speaker = Speaker("s", "Kitchen", active=True, volume_percent=50)
        for status, error, words in ((OrderStatus.FAILED, SpeakerUnavailable("it does not answer"), "it does not answer"), (OrderStatus.DROPPED, None, "A newer order")):
            house.put(sig.PlaybackSeen(Playback(playing=True, track=Track("spotify:track:a", "A", "B", 100_000), speaker=speaker)))
            house.put(sig.CommandTaken("volume", words, {"percent": 10}))
            wait_until(lambda: house.dj._order is not None)
            house.put(sig.OrderEnded(house.dj._order, status, 0.1, error))
            wait_until(lambda: house.courier.answers)
            command_id, verdict, why = house.courier.answers.pop()
            assert (command_id, verdict, words in why) == (words, "error", True)
            house.dj._order = None


def test_a_goal_holds_until_it_is_taken_back(house):
    house.show(10, HAPPY)
    assert command(house, "goal", goal="calm") == ("ok", {"goal": "calm"})
    house.show(8, HAPPY)
    assert house.told == [*PLAYS, "decide queue calm", "queue done"]
    assert house.courier.published["now"]["goal"] == "calm"
    assert command(house, "goal", goal=None) == ("ok", {"goal": "match"})


def test_a_goal_ends_with_the_run(tmp_path):
    with DaemonHouse(tmp_path) as house:
        command(house.sees_well(), "goal", goal="calm")
        house.end()
    with DaemonHouse(tmp_path) as house:
        assert command(house.sees_well(), "goal", goal=None) == ("ok", {"goal": "match"})


# -- diagnostics


def test_diagnostics_tell_of_every_part(house):
    house.put(sig.HealthRead(WELL)).show(1, HAPPY)
    status, data = command(house, "diagnostics")
    assert status == "ok"
    assert data["parts"]["camera"] == {"state": "ok", "message": "a camera"}
    assert set(data["parts"]) == {"camera", "speaker", "link"}
    assert (data["version"], data["machine"]["temperature_c"], data["machine"]["disk_free_mb"]) == ("1", 51.3, 5432)
    assert data["outbox"].keys() == {"waiting", "merged", "lost", "refused"}
    assert data["clock"].keys() == {"now", "trusted"}
    assert (data["goal"], data["override"], data["privacy"], data["reasons"]) == ("match", None, False, [])
    assert data["running_s"] == 1


def told_of(message, reasons=()):
    part = {"state": "broken", "message": message}
    facts = Facts("m-a", "1.0", "a speaker", demo=False, models=("faces 3", "emotions 2"))
    now = snapshot(
        facts, observation=None, people=0, reading=None, since=None, playback=None, upcoming=None, reason=None, camera=part, speaker=part, link=part, privacy=False, goal="match"
    )
    return diagnose(facts, now, health=WELL, reasons=reasons, outbox=OutboxCounts(1, 2, 3, 4), clock_trusted=True, at=NOON, running_s=1.0)


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("/home/ada/clips/party.mp4: not a picture", "…/party.mp4: not a picture"),
        ("can't read '/var/lib/moodify/moodify.db'; free space", "can't read '…/moodify.db'; free space"),
        ("~/.local/share/moodify/moodify.db is locked", "…/moodify.db is locked"),
        ("token=eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJtIn0.c2ln was refused", "token=******** was refused"),
        ("half of it is 1/2 of 2/4", "half of it is 1/2 of 2/4"),
    ],
)
def test_diagnostics_name_no_home_and_no_secret(message, told):
    assert told_of(message)["parts"]["camera"]["message"] == told


@pytest.mark.parametrize("text", ["x" * 5_000, "ü" * 5_000, "ü 漢 " * 3_000])
def test_diagnostics_fit_into_an_answer(text):
    data = told_of(text, reasons=[text] * 6)
    assert len(json.dumps(data)) <= BYTES_AT_MOST
    assert data["outbox"] == {"waiting": 1, "merged": 2, "lost": 3, "refused": 4}


# -- what is published


def test_a_state_is_not_published_anew_for_a_tenth_of_what_it_says():
    def shown(confidence, valence):
        facts, part = Facts("m-a", "1", "a speaker", demo=False), {"state": "ok", "message": ""}
        reading = MoodReading(Mood.HAPPY, confidence, 0.0, valence, -0.01, 1)
        return summary(
            snapshot(facts, observation=None, people=1, reading=reading, since=NOON, playback=None, upcoming=None, reason=None, camera=part, speaker=part, link=part, privacy=False)
        )["now"]

    assert shown(0.81, 0.33) == shown(0.79, 0.27)
    assert (shown(0.81, 0.33)["confidence"], shown(0.81, 0.33)["valence"], str(shown(0.81, 0.33)["arousal"])) == (0.8, 0.3, "0.0")


def healths(house):
    return [value for name, value in house.courier.publications if name == "health"]


def test_health_is_published_when_it_changes_and_not_with_each_reading(house):
    for temperature_c, free_mb in ((51.0, 5_432), (49.2, 5_410), (52.4, 5_499), (63.0, 5_499), (81.0, 5_499), (80.6, 5_499)):
        house.put(sig.HealthRead(Health(disk_free_mb=free_mb, load_1min=0.1, rss_mb=1.0, rss_anon_mb=1.0, uptime_s=1.0, temperature_c=temperature_c))).look()
    assert [(value["ok"], value["temperature_c"], value["disk_free_mb"]) for value in healths(house)] == [(True, 50, 5_400), (True, 65, 5_400), (False, 80, 5_400)]


def test_events_that_were_lost_are_told_once(tmp_path):
    def lose(count):
        store.record([Event(str(uuid.uuid4()), EventKind.MOOD, NOON, {"pad": "x" * 15_000}) for _ in range(count)])

    reasons = []
    for _ in range(2):
        with DaemonHouse(tmp_path, outbox_bytes=50_000) as house, Store(house.path, outbox_bytes=50_000) as store:
            if not reasons:
                lose(1)
                lose(1)
                lose(3)
            for _ in range(3):
                house.put(sig.HealthRead(WELL)).look()
            reasons += [event["data"]["reasons"] for event in house.events if event["kind"] == "health"]
            lost = store.outbox().lost
            house.end()
    told = [reason for each in reasons for reason in each]
    assert len(told) == 1
    assert told[0].startswith(f"{lost} events were never sent")


def test_when_the_sign_in_to_spotify_ends_is_published_with_the_health(house):
    for ends in ("2027-05-21", "2027-05-21", "2027-11-21"):
        house.put(sig.HealthRead(WELL, {"ends": ends, "ended": False})).look()
    assert [value["spotify"]["ends"] for value in healths(house)] == ["2027-05-21", "2027-11-21"]


@pytest.mark.parametrize(("standing", "told"), [(Standing.SIGNED_IN, False), (Standing.ENDED, True)])
def test_of_a_sign_in_its_last_day_is_told_and_whether_it_has_ended(standing, told):
    ends = datetime(2027, 5, 21, 12, tzinfo=UTC)
    assert sign_in_told(SignInStatus(standing, None, ends=ends)) == {"ends": "2027-05-21", "ended": told}
