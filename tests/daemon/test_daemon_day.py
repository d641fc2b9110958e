"""A day of a household in simulated time: a speaker that sleeps, outages, quota, access tokens that run out each hour.

Real store, tracker, policy, dj and adapter, and real HTTP to the simulated speaker; only the camera's observations are scripted.
"""

import sys
import time
from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from daemon_house import DaemonHouse, face

from moodify.music.spotify.simulated.speaker import SimulatedSpeaker
from moodify.panel.port import Press
from moodify.system.clock import RecordingClock
from moodify.types import Emotion

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

#: What a call may take while Spotify hangs. Before and after it is long: a machine that stands still for a moment is no outage.
TIMEOUT_S = 0.5
HANGS_S = 30
RULES = {
    "mood": {"smoothing_s": 5.0, "steady_s": 5.0, "absent_s": 15.0},
    "music": {
        "fade_s": 0.0,
        "quiet_hours": {"start": "22:00", "end": "07:00"},
        "goals": [{"start": "20:00", "end": "22:00", "goal": "calm"}],
        "volume_caps": [{"start": "21:00", "end": "08:00", "volume_cap": 35}],
    },
}
HAPPY, SAD, CALM, ANGRY = (face(emotion) for emotion in (Emotion.HAPPINESS, Emotion.SADNESS, Emotion.NEUTRAL, Emotion.ANGER))
#: Seconds between two looks while somebody is there, and while nobody is.
LOOK_S, GLANCE_S = 5.0, 30.0


class Day:
    """Runs a household from one time of the day to the next, and keeps what was heard."""

    def __init__(self, folder):
        self.midnight = datetime(2026, 1, 5).astimezone()
        clock = RecordingClock(self.midnight)
        self.requests = []
        self.speaker = SimulatedSpeaker(clock=clock.now_s, starts=self.midnight, sleeps_after_s=1200, tap=lambda _exchange: self.requests.append(clock.now_s()))
        self.house = DaemonHouse(folder, rules=RULES, clock=clock, speaker=self.speaker, pause=lambda seconds: clock.advance_to(clock.now_s() + seconds))
        self._mood_of = {song.uri: song.mood for song in self.speaker.catalogue.songs.values()}
        self.starts = []
        """When music began in silence, and the newest reason then."""
        self.slowest_s = 0.0
        """The longest time, in real seconds, that a frame took with all that followed from it."""
        self.house.sees_well()

    @property
    def now(self):
        return self.midnight + timedelta(seconds=self.house.t_s)

    @property
    def playing(self):
        """The mood whose music sounds now; None in silence."""
        return self._mood_of.get(self.speaker.now_playing)

    def _look(self, *faces, after_s):
        silent = self.speaker.now_playing is None
        began_s = time.monotonic()
        self.house.look(*faces, after_s=after_s)
        self.slowest_s = max(self.slowest_s, time.monotonic() - began_s)
        if silent and self.speaker.now_playing is not None:
            self.starts.append((f"{self.now:%H:%M}", self.ordered()[-1]["reason"]))

    def until(self, of_day, *faces):
        """Show the same people until a time of the day; return what plays then."""
        hour, minute = map(int, of_day.split(":"))
        while self.house.t_s < (hour * 60 + minute) * 60:
            self._look(*faces, after_s=LOOK_S if faces else GLANCE_S)
        return self.playing

    def press(self, press, *faces):
        """Press, and look on closely for some seconds; return the reasons that were given."""
        before = len(self.house.reasons())
        self.house.press(press)
        for _ in range(30):
            self._look(*faces, after_s=0.2)
        return " · ".join(self.house.reasons()[before:])

    def ordered(self):
        """The decisions that became orders."""
        return [data for _, data in self.decided()]

    def told(self):
        return [(datetime.fromisoformat(event["at"]), event["kind"], event["data"]) for event in self.house.events]

    def decided(self):
        return [(at, data) for at, kind, data in self.told() if kind == "decision" and data.get("order")]

    def busiest_hour(self):
        """The most requests that were sent in any 60 minutes."""
        return max(sum(1 for t_s in self.requests if begin_s <= t_s < begin_s + 3600) for begin_s in self.requests)


@pytest.fixture
def day(tmp_path):
    day = Day(tmp_path)
    yield day
    day.house.close()


def morning(day):
    # Quiet hours: only who asks hears music, and not for longer than they are there.
    assert "in quiet hours only because you asked" in day.press(Press.SCAN, CALM)
    assert day.until("00:20", CALM) == "calm"
    assert day.until("01:00") is None
    # In the morning the speaker sleeps, and nothing is started unasked; a press wakes it.
    assert day.until("07:10", CALM) is None
    assert "You asked: calm" in day.press(Press.SCAN, CALM)
    assert day.until("07:40", CALM) == "calm"
    assert day.until("08:30", HAPPY) == "happy"
    # Whoever leaves is waited for; after hours nothing starts by itself.
    assert day.until("10:00") is None
    assert day.until("12:00", SAD) is None
    assert "You asked: sad" in day.press(Press.SCAN, SAD)


def trouble(day):
    # Spotify fails for a while: what played ends, and a press brings music back.
    assert day.until("12:30", SAD) == "sad"
    day.speaker.fail(503, times=60)
    day.until("13:20", SAD)
    day.press(Press.SCAN, SAD)
    assert day.until("13:30", SAD) == "sad"
    # Spotify hangs for some minutes: no call outlasts its time-out.
    day.slowest_s = 0.0
    day.speaker.slow(HANGS_S)
    day.house.player.player._spotify.requests_timeout, patience_s = TIMEOUT_S, day.house.player.player._spotify.requests_timeout
    day.until("13:33", SAD)
    day.house.player.player._spotify.requests_timeout = patience_s
    day.speaker.slow(0)
    assert 0.9 * TIMEOUT_S < day.slowest_s < HANGS_S / 2
    day.until("13:50", SAD)
    day.press(Press.SCAN, SAD)
    assert day.until("13:58", SAD) == "sad"
    # The quota is spent for two hours: a press is told until when, and nobody is surprised afterwards.
    day.speaker.rate_limit(7200, "QUOTA_EXCEEDED")
    day.until("14:20", ANGRY)
    for _ in range(2):
        said = day.press(Press.SCAN, ANGRY)
        assert "until 16:" in said or "until 15:" in said, said
    assert day.until("16:30", ANGRY) is None
    day.press(Press.SCAN, ANGRY)
    assert day.until("16:40", ANGRY) == "angry"


def evening(day):
    # Two skips are two songs; the speaker comes back under another id, and the access token has run out many times by now.
    first = day.speaker.now_playing
    day.press(Press.NEXT, ANGRY)
    second = day.speaker.now_playing
    day.press(Press.NEXT, ANGRY)
    assert len({first, second, day.speaker.now_playing}) == 3
    day.speaker.new_id()
    assert day.until("17:20", HAPPY, HAPPY) == "happy"
    # In the evening the goal is calm, at night it is not loud, and in quiet hours no song is added.
    assert day.until("20:30", HAPPY) == "calm"
    assert day.until("21:10", HAPPY) == "calm"
    assert [order.percent for order in day.speaker.orders if order.verb == "volume"][-1] == 35
    assert day.until("22:30", HAPPY) is None
    assert day.until("23:59") is None


def test_a_day_goes_by_the_rules_through_sleep_outages_and_quota(day, capsys):
    morning(day)
    trouble(day)
    evening(day)
    # Music that broke off for less than five minutes, while Spotify hung, went on; nothing else began unasked.
    unasked = [(of_day, reason) for of_day, reason in day.starts if "You asked" not in reason]
    assert [of_day for of_day, reason in unasked if "broke off" in reason and "13:30" < of_day < "13:37"] == [of_day for of_day, _ in unasked], unasked
    budget = day.house.config.music.spotify.requests_per_hour
    assert day.busiest_hour() <= budget
    # What changed by mood, and not by a press, did so seldom, and after the mood had lasted.
    changes = [at for at, decision in day.decided() if decision["reason"].split()[0] not in {"More", "You", "After", "Nobody", "Somebody"} and decision["act"] in {"play", "queue"}]
    assert len(changes) >= 3
    assert all(later - earlier >= timedelta(minutes=10) for earlier, later in pairwise(changes)), changes
    moods = [(at, data["mood"]) for at, kind, data in day.told() if kind == "mood"]
    for at in changes:
        since, _ = max(entry for entry in moods if entry[0] <= at)
        # A mood is told some seconds after it began, once it is steady.
        assert at - since >= timedelta(seconds=105), (since, at)
    counts = Counter(decision["act"] for decision in day.ordered())
    with capsys.disabled():
        sys.stdout.write(
            f"\na day: {len(day.requests)} requests, at most {day.busiest_hour()} in an hour (budget {budget}); orders {dict(counts)}; slowest frame {day.slowest_s:.2f} s\n"
        )
