"""A data folder in which a household has lived for a while, and the page over it."""

from datetime import UTC, datetime, time, timedelta
from queue import SimpleQueue
from uuid import uuid4

from moodify.config.model import Config
from moodify.daemon.household import Household
from moodify.daemon.keeping import RunningKeeping
from moodify.daemon.page_routes import page_routes
from moodify.daemon.places import DATABASE
from moodify.daemon.setting_up import HouseSetUp
from moodify.daemon.skin_keeping import RunningSkinKeeping
from moodify.daemon.skin_look import SkinLooks
from moodify.store.prepare import prepare
from moodify.store.store import Store
from moodify.types import Event, EventKind

#: Of each evening: hour and minute, mood, valence, arousal.
EVENING = (
    (17, 30, "calm", 0.35, -0.3),
    (18, 40, "happy", 0.7, 0.4),
    (19, 50, "unsure", 0.0, 0.0),
    (20, 20, "tense", -0.4, 0.5),
    (21, 0, "calm", 0.3, -0.4),
)
SONGS = (("Lanterns", "The Slow River"), ("Northern Window", "Halden & Ray"), ("Eleven Stairs", "Mira Okafor"))


class LivedHome:
    """A folder, what is kept in it, and the routes over it."""

    def __init__(self, folder):
        self.folder, self.queue = folder, SimpleQueue()
        prepare(folder / DATABASE)
        household = Household(Config(), folder / DATABASE, folder, lambda: None)
        setup = HouseSetUp(household, None, private=lambda: False, go_anew=lambda: None)
        looks = RunningSkinKeeping(folder / DATABASE)
        self.keeping = RunningKeeping(folder, None, household, lambda: None, self.queue.put)
        self.routes = page_routes(setup, looks, SkinLooks(looks, self.queue.put), self.keeping, folder)
        """Return the page's routes over it, for a house and who may sign in."""

    def happens(self, *events):
        """Keep events: (when, kind, data)."""
        with Store(self.folder / DATABASE) as store:
            store.record([Event(str(uuid4()), kind, at, data) for at, kind, data in events])

    def live(self, zone, days=7):
        """Live through the last evenings before today, by the clock of a time zone; return the date of the last."""
        today = datetime.now(zone).date()
        for ago in range(days, 0, -1):
            self.happens(*evening(today - timedelta(days=ago), zone))
        return today - timedelta(days=1)


def evening(date, zone):
    """Give the events of one evening: readings of the machine all day, moods, and a song every quarter of an hour."""

    def at(hour, minute):
        return datetime.combine(date, time(hour, minute), zone).astimezone(UTC)

    for minutes in range(0, 24 * 60, 10):
        yield at(minutes // 60, minutes % 60), EventKind.HEALTH, {"reasons": []}
    yield at(0, 1), EventKind.MOOD, _mood("absent", 0.0, 0.0, 0)
    for hour, minute, mood, valence, arousal in EVENING:
        yield at(hour, minute), EventKind.MOOD, _mood(mood, valence, arousal, 2)
    yield at(22, 30), EventKind.MOOD, _mood("absent", 0.0, 0.0, 0)
    for number in range(16):
        title, artist = SONGS[number % len(SONGS)]
        track = {"uri": "spotify:track:a", "title": title, "artist": artist, "duration_ms": 225_000}
        when, order = at(17 + (32 + 15 * number) // 60, (32 + 15 * number) % 60), str(uuid4())
        yield when, EventKind.DECISION, {"act": "play", "mood": "calm", "reason": f"You both seem calm, so '{title}' plays", "track": track, "order": order}
        yield when, EventKind.ORDER, {"order": order, "act": "play", "status": "done", "track": track, "took_ms": 90, "message": None}


def _mood(mood, valence, arousal, people):
    return {"mood": mood, "confidence": 0.84, "valence": valence, "arousal": arousal, "people": people, "since": "", "asked": False}
