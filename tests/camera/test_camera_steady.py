import random
import shutil
import threading

import pytest
from camera_parts import waiting_in, write_picture

from moodify.camera.fake import FakeCamera
from moodify.camera.files import Recording
from moodify.camera.steady import Ended, Lost, Opened, SteadyCamera
from moodify.errors import CameraLost, NoCamera, PictureError
from moodify.types import Frame
from waiting import wait_until


def news_of(steady, kind):
    def came():
        news = steady.next(0.1)
        return news if isinstance(news, kind) else None

    return wait_until(came, what=f"the news {kind.__name__}")


@pytest.fixture
def fake():
    return FakeCamera(timeout_s=0.05)


@pytest.fixture
def steady(fake):
    with SteadyCamera(fake.reopen, retry_first_s=0.01, retry_max_s=0.04) as steady:
        yield steady


def test_it_says_what_it_opened_and_then_gives_frames(steady):
    first = news_of(steady, object)
    assert first == Opened("a fake camera", live=True)
    assert [news_of(steady, Frame).sequence for _ in range(3)] == [0, 1, 2]


@pytest.mark.parametrize("lever", ["unplug", "hang"])
def test_a_lost_camera_is_said_closed_and_opened_again(fake, steady, lever):
    news_of(steady, Frame)
    getattr(fake, lever)()
    lost = news_of(steady, Lost)
    assert "lost" in lost.reason
    assert lost.retry_in_s > 0
    assert not lost.needs_person
    fake.plug_in()
    news_of(steady, Opened)
    news_of(steady, Frame)


def test_the_camera_that_is_open_holds_its_exposure_and_the_next_opening_begins_without(fake, steady):
    news_of(steady, Frame)
    steady.hold_exposure(True)
    assert fake.held == (True,)
    fake.unplug()
    news_of(steady, Lost)
    steady.hold_exposure(False)
    fake.plug_in()
    news_of(steady, Frame)
    assert fake.held == ()


def test_a_busy_camera_is_waited_for_until_the_other_program_ends(fake):
    fake.occupy()
    with SteadyCamera(fake.reopen, retry_first_s=0.01, retry_max_s=0.04) as steady:
        lost = news_of(steady, Lost)
        assert "busy" in lost.reason
        assert not lost.needs_person
        fake.vacate()
        news_of(steady, Frame)


def test_a_camera_whose_driver_keeps_the_device_is_not_opened_again_before_it_lets_go(fake):
    opened = []

    def open_camera():
        opened.append(True)
        return fake.reopen()

    with SteadyCamera(open_camera, retry_first_s=0.01, retry_max_s=0.02) as steady:
        news_of(steady, Frame)
        fake.jam()
        fake.unplug()
        fake.plug_in()
        lost = news_of(steady, Lost)
        assert "does not give its device back" in lost.reason
        assert lost.needs_person
        assert steady.next(0.2) is None
        assert len(opened) == 1
        fake.let_go()
        news_of(steady, Opened)
        assert len(opened) == 2


def test_a_camera_whose_driver_keeps_the_device_counts_as_open_after_it_was_closed(fake):
    steady = SteadyCamera(fake.reopen, close_within_s=0.01)
    news_of(steady, Frame)
    fake.jam()
    steady.close()
    assert steady.open
    fake.let_go()
    wait_until(lambda: not steady.open, what="the device's being given back")


def test_waits_double_with_jitter_up_to_the_longest_and_start_anew_after_a_frame(fake):
    with SteadyCamera(fake.reopen, retry_first_s=0.01, retry_max_s=0.04, rng=random.Random(1)) as steady:
        news_of(steady, Frame)
        fake.unplug()
        waits = [news_of(steady, Lost).retry_in_s for _ in range(6)]
        for wait_s, full_s in zip(waits, [0.01, 0.02, 0.04, 0.04, 0.04, 0.04], strict=True):
            assert full_s / 2 <= wait_s <= full_s
        assert len(set(waits)) == len(waits)
        fake.plug_in()
        news_of(steady, Frame)
        fake.unplug()
        assert news_of(steady, Lost).retry_in_s <= 0.01


def test_a_folder_that_vanishes_is_an_end_with_its_reason(tmp_path):
    folder = tmp_path / "stick"
    folder.mkdir()
    for number in range(3):
        write_picture(folder / f"{number}.png", 100)
    with SteadyCamera(lambda: Recording(folder, pace=0)) as steady:
        news_of(steady, Frame)
        shutil.rmtree(folder)
        assert isinstance(news_of(steady, Ended).error, PictureError)


def test_asking_waits_no_longer_than_it_was_told_to():
    release = threading.Event()

    def hang_on_opening():
        release.wait(60)
        raise NoCamera("none")

    with SteadyCamera(hang_on_opening) as steady:
        assert steady.next(0.01) is None
        assert steady.next(0.01) is None
        release.set()


def test_closing_ends_a_long_wait_for_the_next_try():
    def missing():
        raise NoCamera("plug one in")

    steady = SteadyCamera(missing, retry_first_s=3600, retry_max_s=3600)
    assert news_of(steady, Lost).needs_person
    steady.close()
    assert not steady.open
    with pytest.raises(CameraLost, match="closed"):
        steady.next(60)


def test_closing_from_another_thread_gives_the_device_back_and_ends_the_wait(fake, steady):
    steady.set_rate(0.001)
    news_of(steady, Frame)
    waits, ended = waiting_in(fake), []

    def ask():
        with pytest.raises(CameraLost):
            steady.next(3600)
        ended.append(True)

    asking = threading.Thread(target=ask)
    asking.start()
    assert waits.wait(30)
    steady.close()
    asking.join(30)
    assert ended
    assert fake.closed
    assert not steady.open


def test_a_camera_that_opens_after_it_was_closed_is_given_back_at_once(fake):
    asked, release, opened = threading.Event(), threading.Event(), threading.Event()

    def slow():
        asked.set()
        release.wait(60)
        opened.set()
        return fake.reopen()

    steady = SteadyCamera(slow, close_within_s=0.01)
    assert asked.wait(30)
    steady.close()
    assert steady.open
    release.set()
    steady._thread.join(30)
    assert opened.is_set()
    assert fake.closed
    assert not steady.open


def test_a_recording_ends_and_none_of_its_frames_is_lost(tmp_path):
    path = write_picture(tmp_path / "a.png", 10)
    with SteadyCamera(lambda: Recording(path, pace=0)) as steady:
        assert news_of(steady, object) == Opened(str(path), live=False)
        news = [steady.next(10) for _ in range(11)]
    assert [frame.sequence for frame in news[:10]] == list(range(10))
    assert news[10] == Ended()


def test_what_can_never_work_ends_it_with_the_error(tmp_path):
    with SteadyCamera(lambda: Recording(tmp_path / "missing.png")) as steady:
        assert isinstance(news_of(steady, Ended).error, PictureError)


def test_an_unknown_failure_is_logged_and_tried_again(fake, caplog):
    failures = [ValueError("surprise")]

    def open_camera():
        if failures:
            raise failures.pop()
        return fake.reopen()

    with SteadyCamera(open_camera, retry_first_s=0.01) as steady:
        assert "surprise" in news_of(steady, Lost).reason
        news_of(steady, Frame)
    assert "surprise" in caplog.text


class Counting(FakeCamera):
    reads = 0

    def read(self):
        self.reads += 1
        return super().read()


def test_a_frame_is_read_only_when_somebody_asks_for_it():
    camera = Counting(fps=1000)
    with SteadyCamera(camera.reopen) as steady:
        for _ in range(5):
            news_of(steady, Frame)
        assert camera.reads <= 5 + 1


def test_the_rate_holds_after_opening_again(fake, steady):
    news_of(steady, Frame)
    steady.set_rate(50)
    fake.unplug()
    news_of(steady, Lost)
    fake.plug_in()
    news_of(steady, Frame)
    assert fake._pacer._period_s == pytest.approx(0.02)
