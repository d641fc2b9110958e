"""A house for the daemon's tests: real store, tracker, policy, dj and simulated speaker around a conductor, on a clock that a test moves."""

import io
import json
import random
import threading
from datetime import UTC, datetime
from queue import SimpleQueue

from moodify.camera.fake import FakeCamera
from moodify.camera.steady import SteadyCamera
from moodify.config.model import Config
from moodify.daemon import signals as sig
from moodify.daemon.board import Board
from moodify.daemon.conductor import Conductor
from moodify.daemon.courier import NoCourier
from moodify.daemon.crew import Crew
from moodify.daemon.display import Display
from moodify.daemon.dj import Dj
from moodify.daemon.kept import Kept
from moodify.daemon.recorder import Recorder
from moodify.daemon.reset import no_page
from moodify.daemon.snapshot import Facts
from moodify.daemon.threads import guarded
from moodify.daemon.watcher import Watcher
from moodify.mood.tracker import MoodTracker
from moodify.music.candidates import CandidatePool
from moodify.music.catalogue.librarian import open_librarian
from moodify.music.policy import Policy
from moodify.music.spotify.factory import open_player
from moodify.music.spotify.simulated.speaker import SimulatedSpeaker
from moodify.music.taste import ThompsonTaste
from moodify.music.taste_keeping import KeptTaste
from moodify.panel.port import Press
from moodify.store.prepare import prepare
from moodify.store.settings import Settings
from moodify.store.store import Store
from moodify.system.clock import RecordingClock
from moodify.system.notify import Notifier
from moodify.system.trust import clock_synchronised
from moodify.types import Box, Emotion, EmotionScores, Face, Landmarks, Observation, Point, SeenFace
from waiting import wait_until

FPS = 5
RULES = {
    "mood": {"smoothing_s": 1.0, "steady_s": 1.0, "absent_s": 2.0},
    "music": {"dwell_s": 4.0, "max_changes": 5, "change_window_s": 60.0, "absence_pause_s": 5.0, "fade_s": 0.0, "start_when_silent": True},
}


def face(emotion=Emotion.HAPPINESS, probability=0.95):
    scores = EmotionScores({each: probability if each is emotion else (1 - probability) / 7 for each in Emotion}, 0.5, 0.5)
    middle = Point(50, 50)
    return SeenFace(Face(Box(0, 0, 100, 100), Landmarks(middle, middle, middle, middle, middle), 0.9), scores, None)


HAPPY = face()
CALM = face(Emotion.NEUTRAL)


class Answers(NoCourier):
    """Keeps what the conductor answers and publishes."""

    def __init__(self):
        self.answers = []
        self.data = {}
        self.published = {}
        self.publications = []

    def answer(self, command_id, status, error=None, data=None):
        self.data[command_id] = data
        self.answers.append((command_id, status, error))

    def publish(self, name, value):
        if self.published.get(name) != value:
            self.publications.append((name, value))
        self.published[name] = value


class Lamp:
    """Keeps what the light was told."""

    def __init__(self):
        self.shown = []

    def show(self, what, mood=None):
        if not self.shown or self.shown[-1] != (what, mood):
            self.shown.append((what, mood))

    def close(self):
        """Nothing to give back."""


class DaemonHouse:
    """A conductor and its crew; what is told stands in :attr:`events`."""

    def __init__(
        self, folder, *, dj=True, rules=RULES, clock=None, remembers=False, speaker=None, pause=None, outbox_bytes=16_000_000, reset_held=no_page, synchronised=clock_synchronised
    ):
        self.path = folder / "moodify.db"
        prepare(self.path)
        self.config = Config.model_validate(rules)
        self.clock = clock if clock is not None else RecordingClock(datetime(2026, 1, 5, 12, tzinfo=UTC))
        self.inbox = SimpleQueue()
        self.store, self.settings = Store(self.path, outbox_bytes=outbox_bytes), Settings(self.path)
        self.sink = io.StringIO()
        self.recorder = Recorder(self.store, self.clock, flush_s=60, sink=self.sink)
        self.speaker = speaker if speaker is not None else SimulatedSpeaker(clock=self.clock.now_s)
        self.player = open_player(self.config.music, folder, clock=self.clock.now_s, simulated=self.speaker, pause=pause)
        self.dj = Dj(self.player.player, self.inbox.put, poll_s=self.config.music.spotify.poll_s, speaker=self.speaker.name)
        self.watcher = Watcher(lambda: SteadyCamera(FakeCamera().reopen), None, self.config.camera, self.inbox.put)
        self.courier, self.lamp = Answers(), Lamp()
        self.systemd = []
        self.health_readings = 0
        facts = Facts("m-test", "1", "the simulated speaker", demo=False)
        self.board = Board({})
        self.kept = Kept(
            self.store,
            self.settings,
            retention_days=365,
            privacy_hours=self.config.privacy.hours,
            local=lambda: self.clock.utc().astimezone(),
            synchronised=synchronised,
        )
        notifier = Notifier(send=self.systemd.append, environ={"WATCHDOG_USEC": "30000000"})
        pool = CandidatePool(self.config.music)
        self.taste = ThompsonTaste(random.Random(1))
        policy = Policy(self.config.music, pool, random.Random(1), taste=self.taste)
        if remembers:
            self.kept.recall_music(policy, self.clock.now_s(), self.clock.utc())
            self.kept.recall_taste(KeptTaste(self.taste, self.settings, self.clock.utc()))
        self.conductor = Conductor(
            self.config,
            facts,
            self.clock,
            self.inbox,
            Crew(self.watcher, self.dj, self.courier, Display(self.board, self.lamp, notifier, self.courier.publish), self._read_health, reset_held),
            new_tracker=lambda: MoodTracker(self.config.mood),
            policy=policy,
            pool=pool,
            librarian=open_librarian(self.config.music, None, now=self.clock.utc),
            recorder=self.recorder,
            kept=self.kept,
        )
        self.code = None
        self._threads = [threading.Thread(target=self._conduct, name="conductor")]
        if dj:
            self._threads.append(guarded("dj", self.dj.run, self.inbox.put))
        for thread in self._threads:
            thread.start()

    def _conduct(self):
        self.code = self.conductor.run()

    def _read_health(self):
        self.health_readings += 1

    @property
    def t_s(self):
        return self.clock.now_s()

    @property
    def events(self):
        return [json.loads(line) for line in self.sink.getvalue().splitlines()]

    @property
    def told(self):
        """What happened, a few words each; decisions that keep what is are left out."""
        return [text for event in self.events if (text := _words(event["kind"], event["data"]))]

    def reasons(self):
        return [event["data"]["reason"] for event in self.events if event["kind"] == "decision"]

    def waits_for_no_lock(self):
        """Have the conductor see at once that the database is locked; of itself it waits for five seconds each time."""
        for connected in (self.settings, self.store):
            connected._db.execute("PRAGMA busy_timeout = 20")

    def put(self, signal):
        self.inbox.put(signal)
        return self

    def sees_well(self):
        return self.put(sig.CameraIs(sig.State.OK, "a camera"))

    def look(self, *faces, after_s=1 / FPS):
        """Show one frame, and wait until all that follows from it is done."""
        self.clock.advance_to(self.t_s + after_s)
        handled = threading.Event()
        self.put(sig.Seen(Observation(self.t_s, faces, moved=True), handled))
        assert handled.wait(20), self.told
        return self

    def show(self, seconds, *faces):
        for _ in range(round(seconds * FPS)):
            self.look(*faces)
        return self

    def press(self, press=Press.SCAN, *, let_go=True):
        """Press the button, shortly; a hold is told with its end."""
        self.put(sig.Pressed(press, "button"))
        return self.put(sig.Pressed(Press.LET_GO, "button")) if let_go and press in {Press.SCAN, Press.NEXT} else self

    def await_reason(self, text):
        wait_until(lambda: any(text in reason for reason in self.reasons()), what=lambda: f"{text!r} among {self.reasons()}")

    def end(self):
        self.put(sig.Stop("the test is over"))
        return self.await_end()

    def await_end(self):
        self._threads[0].join(20)
        assert not self._threads[0].is_alive()
        return self.code

    def close(self):
        self.put(sig.Stop("the test is over"))
        self.dj.close()
        self.player.close()
        for thread in self._threads:
            thread.join(20)
        self.store.close()
        self.settings.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _words(kind, data):
    match kind:
        case "presence":
            return f"{data['people']} here"
        case "mood":
            return data["mood"] + (" asked" if data["asked"] else "")
        case "decision":
            return f"decide {data['act']} {data['mood']}" if data["act"] != "keep" else None
        case "order":
            return f"{data['act']} {data['status']}"
    return None
