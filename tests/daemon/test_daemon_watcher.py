"""The watcher with a camera that the world does things to."""

import itertools
import threading
from uuid import uuid4

import cv2
import numpy as np
import pytest

from moodify.camera.fake import FakeCamera
from moodify.camera.files import Recording
from moodify.camera.pictures import frame_images
from moodify.camera.steady import SteadyCamera
from moodify.config.model import CameraConfig, VisionConfig
from moodify.daemon import watcher as room
from moodify.daemon.aiming import Aiming
from moodify.daemon.signals import CameraIs, RecordingEnded, Seen, State, Stop
from moodify.daemon.skin_look import SkinLooks
from moodify.daemon.threads import guarded
from moodify.daemon.watcher import Watcher
from moodify.errors import CameraLost, CannotWork, NoCamera
from moodify.system.clock import RecordingClock
from moodify.types import Image, PixelLayout
from moodify.vision.eyes import open_eyes
from moodify.web.skin_fake import FakeSkin
from somebody import room_with_somebody
from waiting import wait_until

CONFIG = CameraConfig(idle_fps=30, face_fps=30, scan_fps=30)


class CountingCamera(FakeCamera):
    """Counts its reads, keeps the rates that it was given, and may be slow to close."""

    def __init__(self, **options):
        super().__init__(**options)
        self.reads = 0
        self.rates = []
        self.let_close = threading.Event()
        self.let_close.set()

    def read(self):
        self.reads += 1
        return super().read()

    def set_rate(self, fps):
        self.rates.append(fps)
        super().set_rate(fps)

    def close(self):
        self.let_close.wait(30)
        super().close()


class Post:
    """A watcher at its post, and what it puts on the queue."""

    def __init__(self, *, camera=None, opener=None, config=CONFIG, close_within_s=5.0, **options):
        self.camera = camera if camera is not None else CountingCamera(timeout_s=0.2)
        self.signals = []
        opener = opener if opener is not None else self.camera.reopen
        self.watcher = Watcher(
            lambda: SteadyCamera(opener, retry_first_s=0.01, retry_max_s=0.02, close_within_s=close_within_s),
            open_eyes(VisionConfig(threads=1)),
            config,
            options.pop("put", self.signals.append),
            **options,
        )
        self.thread = guarded("watcher", self.watcher.run, self.signals.append)
        self.thread.start()

    def of(self, kind):
        return [signal for signal in list(self.signals) if isinstance(signal, kind)]

    def states(self):
        return [signal.state for signal in self.of(CameraIs)]

    def await_state(self, state):
        wait_until(lambda: self.states()[-1:] == [state], what=lambda: f"{state} after {self.states()}")
        return self.of(CameraIs)[-1]

    def await_frames(self, more=3):
        count = len(self.of(Seen))
        wait_until(lambda: len(self.of(Seen)) >= count + more, what="frames")

    def close(self):
        self.watcher.close()
        self.thread.join(20)


@pytest.fixture
def post():
    post = Post()
    yield post
    post.camera.let_close.set()
    post.close()


def test_it_opens_says_what_it_is_and_looks(post):
    post.await_frames()
    assert post.states() == [State.STARTING, State.OK]
    assert post.of(CameraIs)[-1].message == "a fake camera"
    assert post.watcher.alive


def test_no_pixels_leave_it(post):
    post.await_frames()
    assert not [value for seen in post.of(Seen) for value in (getattr(seen.observation, name) for name in seen.observation.__slots__) if isinstance(value, Image | np.ndarray)]


@pytest.mark.parametrize(("lever", "said"), [("unplug", "unplugged"), ("hang", "no frame for")])
def test_a_lost_camera_is_said_with_its_reason_and_comes_back(post, lever, said):
    post.await_frames()
    getattr(post.camera, lever)()
    wait_until(lambda: State.DEGRADED in post.states())
    assert any(said in signal.message for signal in post.of(CameraIs) if signal.state is State.DEGRADED)
    post.camera.plug_in()
    post.await_state(State.OK)
    post.await_frames()
    assert post.watcher.alive


def test_a_camera_that_needs_a_person_is_broken_and_tried_again():
    camera = CountingCamera()
    there = threading.Event()

    def opener():
        if not there.is_set():
            raise NoCamera("there is none; connect one")
        return camera.reopen()

    post = Post(camera=camera, opener=opener)
    assert post.await_state(State.BROKEN).message == "there is none; connect one"
    there.set()
    post.await_state(State.OK)
    post.close()


def test_a_source_that_can_never_work_ends_the_run():
    def opener():
        raise CannotWork("that is no camera; name another")

    post = Post(opener=opener)
    post.thread.join(20)
    assert post.states() == [State.STARTING, State.BROKEN]
    assert post.of(Stop) == [Stop("the camera can't work: that is no camera; name another", failed=True)]


def test_privacy_closes_the_device_and_nothing_is_read_until_it_is_off(post):
    post.await_frames()
    post.watcher.set_privacy(True)
    assert post.await_state(State.OFF).message == room.PRIVACY_MESSAGE
    assert post.camera.closed
    reads, seen = post.camera.reads, len(post.of(Seen))
    assert not threading.Event().wait(0.5)
    assert (post.camera.reads, len(post.of(Seen)), post.camera.closed) == (reads, seen, True)
    assert post.watcher.alive
    post.watcher.set_privacy(False)
    post.await_state(State.OK)
    post.await_frames()


def test_another_reason_for_privacy_is_said_while_the_camera_stays_closed(post):
    post.await_frames()
    post.watcher.set_privacy(True, "until 07:00, by privacy.hours")
    assert post.await_state(State.OFF).message == f"{room.PRIVACY_MESSAGE}, until 07:00, by privacy.hours"
    post.watcher.set_privacy(True, "until the clock is right")
    wait_until(lambda: post.of(CameraIs)[-1] == CameraIs(State.OFF, f"{room.PRIVACY_MESSAGE}, until the clock is right"))
    assert post.states().count(State.STARTING) == 1
    assert post.camera.closed


def test_a_start_in_privacy_never_opens_the_camera():
    opened = []
    post = Post(opener=lambda: opened.append(1), privacy=True)
    post.await_state(State.OFF)
    post.close()
    assert opened == []


def test_off_is_said_only_once_the_driver_has_let_go(post):
    post.await_frames()
    post.camera.let_close.clear()
    threading.Timer(1.0, post.camera.let_close.set).start()
    post.watcher.set_privacy(True)
    wait_until(lambda: post.states()[-1] in {State.BROKEN, State.OFF})
    post.await_state(State.OFF)
    assert post.camera.closed


def test_a_driver_that_does_not_let_go_is_said_as_broken(monkeypatch):
    post = Post(close_within_s=0.1)
    post.await_frames()
    held = threading.Event()
    monkeypatch.setattr(SteadyCamera, "open", property(lambda _self: not held.is_set()))
    post.watcher.set_privacy(True)
    assert post.await_state(State.BROKEN).message == room.STILL_OPEN_MESSAGE
    held.set()
    post.await_state(State.OFF)
    post.close()


def test_a_press_looks_at_the_scans_rate_at_once_and_then_no_longer(monkeypatch):
    monkeypatch.setattr(room, "SCAN_S", 0.3)
    post = Post(config=CameraConfig(idle_fps=5, face_fps=5, scan_fps=30))
    post.await_frames(1)
    wait_until(lambda: post.camera.rates)
    before = len(post.camera.rates)
    post.watcher.scan()
    assert post.camera.rates[before] == 30
    wait_until(lambda: post.camera.rates[-1] == 5)
    post.close()


def test_an_idle_room_is_looked_at_rarely():
    post = Post(config=CameraConfig(idle_fps=7, face_fps=20, scan_fps=30))
    wait_until(lambda: post.camera.rates[-1:] == [7])
    noise = np.random.default_rng(1).integers(0, 255, (240, 320, 3), np.uint8)
    post.camera.show(Image(noise, PixelLayout.RGB))
    wait_until(lambda: 20 in post.camera.rates)
    post.close()


def test_a_recording_waits_for_each_frame_to_be_dealt_with_and_ends(tmp_path):
    cv2.imwrite(str(tmp_path / "room.png"), np.full((240, 320, 3), 120, np.uint8))
    clock, waiting = RecordingClock(), []
    signals = []

    def put(signal):
        signals.append(signal)
        if isinstance(signal, Seen):
            waiting.append((clock.now_s(), signal.handled.is_set()))
            signal.handled.set()

    post = Post(opener=lambda: Recording(tmp_path / "room.png", pace=0), recording=clock, put=put)
    post.thread.join(20)
    assert [t_s for t_s, _ in waiting] == pytest.approx([number / 5 for number in range(10)])
    assert not any(handled for _, handled in waiting)
    assert isinstance(signals[-1], RecordingEnded)


def test_closing_does_not_wait_for_a_frame_that_nobody_deals_with(tmp_path):
    cv2.imwrite(str(tmp_path / "room.png"), np.full((240, 320, 3), 120, np.uint8))
    post = Post(opener=lambda: Recording(tmp_path / "room.png", pace=0), recording=RecordingClock())
    wait_until(lambda: post.of(Seen))
    assert not threading.Event().wait(2 * room.TURN_S)
    assert len(post.of(Seen)) == 1
    assert post.watcher.alive
    post.close()
    assert not post.thread.is_alive()


def test_who_begins_to_aim_just_as_privacy_begins_does_not_go_on_after_it():
    told = []
    aiming = Aiming(told.append)
    post = Post(privacy=True, aiming=aiming)
    try:
        wait_until(lambda: post.of(CameraIs))
        aiming.begin("ann", "Ann")
        wait_until(lambda: [each.on for each in told] == [True, False])
        assert aiming.left_s("ann") == 0.0
    finally:
        post.watcher.close()
        post.thread.join(30)


ADA = uuid4()


class Mirror(Post):
    """A watcher with somebody before the camera, who may have their skin looked at; its frames are a quarter of a second apart, at any rate."""

    def __init__(self, **options):
        ticks = itertools.count()
        self.kept, self.told = FakeSkin(), []
        self.kept.opt_in(ADA)
        self.looks = SkinLooks(self.kept, self.told.append)
        camera = CountingCamera(timeout_s=0.2, now_s=lambda: next(ticks) / 4)
        super().__init__(camera=camera, skin=self.looks, config=CameraConfig(idle_fps=30, face_fps=29, scan_fps=30), **options)

    def result(self):
        return wait_until(lambda: (now := self.looks.now(ADA)) and now.is_over and now, what="the end of the look")


@pytest.fixture
def mirror():
    mirror = Mirror()
    yield mirror
    mirror.close()


def test_a_look_at_skin_is_fed_until_its_record_is_kept_and_the_exposure_held_meanwhile(mirror):
    mirror.camera.show(*frame_images(room_with_somebody(), (320, 240), 1280))
    mirror.await_frames(1)
    mirror.looks.begin(ADA, "Ada", skin_type=None)
    # In pixels of the detail, not of the frame, which has a quarter: to the detector, a rendered face is only roughly a face.
    assert mirror.result().record.eyes_px == pytest.approx(100, abs=8)
    wait_until(lambda: mirror.camera.held == (True, False), what="that the exposure is let go")


@pytest.mark.parametrize("way", ["stop", "opting out", "leaving"])
def test_the_exposure_is_let_go_however_a_look_ends(mirror, way, monkeypatch):
    mirror.camera.show(*frame_images(room_with_somebody(), (320, 240), 1280))
    # No look would take so many shots in the time of this test.
    monkeypatch.setattr("moodify.skin.capture.SHOTS", 10**6)
    monkeypatch.setattr("moodify.skin.capture.PATIENCE_S", 1e6)
    version = mirror.looks.begin(ADA, "Ada", skin_type=None).version
    wait_until(lambda: mirror.camera.held == (True,), what="that the exposure is held")
    if way == "stop":
        mirror.looks.end(ADA)
    elif way == "opting out":
        mirror.kept.opt_out(ADA)
        wait_until(lambda: mirror.looks.now(ADA, version, 0.05).is_over, what="the end of the look")
    else:
        monkeypatch.setattr("moodify.daemon.skin_look.LEFT_S", 0.0)
    wait_until(lambda: mirror.camera.held == (True, False), what="that the exposure is let go")


def test_frames_come_faster_at_once_when_a_look_at_skin_begins_in_an_idle_room():
    mirror = Mirror()
    mirror.watcher._config = CameraConfig(idle_fps=0.01, face_fps=29, scan_fps=30)
    wait_until(lambda: mirror.camera.rates[-1:] == [0.01])
    mirror.looks.begin(ADA, "Ada", skin_type=None)
    wait_until(lambda: mirror.looks.now(ADA).guidance, what="a first guidance")
    assert mirror.camera.rates[-1] == 29
    mirror.looks.end(ADA)
    wait_until(lambda: mirror.camera.rates[-1] == 0.01)
    mirror.close()


@pytest.mark.parametrize(
    ("lever", "said"),
    [
        (lambda mirror: mirror.watcher.set_privacy(True), "privacy is on"),
        (lambda mirror: mirror.camera.unplug(), "unplugged"),
        (lambda mirror: mirror.watcher.open_anew(), "changed"),
        (lambda mirror: mirror.watcher.close(), "was ended"),
    ],
    ids=["privacy", "unplugged", "another camera", "the end"],
)
def test_a_look_at_skin_ends_with_the_reason_when_the_camera_goes(mirror, lever, said):
    mirror.await_frames(1)
    mirror.looks.begin(ADA, "Ada", skin_type=None)
    lever(mirror)
    assert said in mirror.result().failed
    assert [each.on for each in mirror.told] == [True, False]


def test_who_begins_a_look_at_skin_just_as_privacy_begins_does_not_go_on_after_it():
    mirror = Mirror(privacy=True)
    mirror.await_state(State.OFF)
    mirror.looks.begin(ADA, "Ada", skin_type=None)
    assert "privacy is on" in mirror.result().failed
    mirror.close()


def test_nobody_sees_somebody_whose_skin_is_looked_at_though_both_began_at_once(monkeypatch):
    aiming = Aiming(lambda _: None)
    mirror = Mirror(aiming=aiming)
    mirror.await_frames(1)
    aiming.begin("bo", "Bo")
    assert aiming.picture("bo")
    monkeypatch.setattr("moodify.daemon.aiming.FRAME_S", 0.3)
    mirror.looks.begin(ADA, "Ada", skin_type=None)
    with pytest.raises(CameraLost):
        [aiming.picture("bo") for _ in range(3)]
    mirror.close()


def test_while_nobody_has_their_skin_looked_at_no_frame_is(mirror, monkeypatch):
    looked = []
    monkeypatch.setattr(mirror.looks, "look", lambda *frame: looked.append(frame))
    mirror.camera.show(*frame_images(room_with_somebody(), (320, 240), 1280))
    mirror.await_frames()
    assert (looked, mirror.camera.held) == ([], ())
