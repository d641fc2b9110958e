import importlib.util
import subprocess
import sys

import pytest
from camera_parts import write_picture

from moodify.camera.fake import FakeCamera
from moodify.camera.opening import CameraOpener
from moodify.camera.steady import Lost, Opened, SteadyCamera
from moodify.config.model import CameraConfig
from moodify.errors import CameraLost, ConfigError, NoCamera, PictureError
from waiting import wait_until


class House(CameraOpener):
    """An opener over a house whose cameras come and go."""

    def __init__(self, source="auto", *, sample_allowed=True, **there):
        self.there = there
        super().__init__(CameraConfig(source=source), sample_allowed=sample_allowed)

    def _give(self, kind):
        what = self.there.get(kind)
        if what is None:
            raise NoCamera(f"no {kind}")
        if isinstance(what, Exception):
            raise what
        return what

    def _pi(self):
        return self._give("pi")

    def _usb(self, number=0):
        return self._give(f"usb{number}")

    def _sample(self):
        return self._give("sample")


PI, USB, USB2, SAMPLE = (FakeCamera() for _ in range(4))


@pytest.mark.parametrize(("there", "chosen"), [({"pi": PI, "usb0": USB, "sample": SAMPLE}, PI), ({"usb0": USB, "sample": SAMPLE}, USB), ({"sample": SAMPLE}, SAMPLE)])
def test_auto_is_the_pi_s_else_the_first_usb_camera_else_the_sample(there, chosen):
    assert House(**there)() is chosen


def test_a_camera_that_was_unplugged_is_never_replaced_by_the_sample():
    house = House(usb0=USB, sample=SAMPLE)
    assert house() is USB
    house.there = {"sample": SAMPLE}
    with pytest.raises(NoCamera, match="no usb0"):
        house()


def test_a_busy_camera_is_waited_for_not_passed_over():
    with pytest.raises(CameraLost):
        House(pi=CameraLost("busy"), sample=SAMPLE)()


def test_where_the_sample_is_not_allowed_auto_waits_for_a_camera_and_takes_one_that_comes_late():
    house = House(sample_allowed=False, sample=SAMPLE)
    with pytest.raises(NoCamera, match=r"no pi; no usb0\); connect a camera"):
        house()
    house.there["usb0"] = USB
    assert house() is USB
    del house.there["usb0"]
    with pytest.raises(NoCamera, match="no usb0"):
        house()


def test_a_steady_camera_goes_from_waiting_to_one_that_is_plugged_in_late():
    house = House(sample_allowed=False, sample=SAMPLE)
    with SteadyCamera(house, retry_first_s=0.01, retry_max_s=0.02) as steady:
        lost = steady.next(10)
        assert isinstance(lost, Lost)
        assert lost.needs_person
        house.there["usb0"] = FakeCamera()
        wait_until(lambda: isinstance(steady.next(1), Opened), what="opening it")


def test_the_sample_by_name_is_given_all_the_same():
    assert House("sample", sample_allowed=False, sample=SAMPLE)() is SAMPLE


def test_with_nothing_there_all_reasons_are_told():
    with pytest.raises(NoCamera, match="no pi; no usb0; no sample"):
        House()()


@pytest.mark.parametrize(("source", "chosen"), [("pi", PI), ("usb", USB), ("usb:0", USB), ("usb:2", USB2), ("sample", SAMPLE)])
def test_a_named_camera_is_taken_and_no_other(source, chosen):
    assert House(source, pi=PI, usb0=USB, usb2=USB2, sample=SAMPLE)() is chosen


def test_a_path_is_a_recording(tmp_path, monkeypatch):
    write_picture(tmp_path / "a.png", 10)
    monkeypatch.chdir(tmp_path)
    for source in (str(tmp_path), str(tmp_path / "a.png"), "a.png", "./a.png"):
        with CameraOpener(CameraConfig(source=source), pace=0)() as camera:
            assert not camera.live
            assert camera.read().image.width == 320


def test_a_path_that_is_missing_is_named():
    with pytest.raises(PictureError, match="no/such/file"):
        CameraOpener(CameraConfig(source="no/such/file"))()


@pytest.mark.parametrize("source", ["webcam", "usb:", "usb:x", "usb:-1", "Sample", ""])
def test_an_unknown_source_is_named_with_the_choices(source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=rf"source = '{source}'(.|\n)*usb:N"):
        CameraOpener(CameraConfig(source=source))


def test_a_name_that_is_too_long_is_no_camera():
    with pytest.raises(ConfigError, match="choose auto"):
        CameraOpener(CameraConfig(source="x" * 300))


def test_a_path_in_a_home_that_is_not_known_is_named():
    with pytest.raises(ConfigError, match=r"~no-such-user/clip\.mp4' begins with a home that is not known"):
        CameraOpener(CameraConfig(source="~no-such-user/clip.mp4"))


def test_choosing_imports_no_vendor():
    code = "import sys, moodify.camera.opening, moodify.camera.steady, moodify.camera.fake; sys.exit(bool({'cv2', 'picamera2', 'skimage', 'matplotlib'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.skipif(importlib.util.find_spec("picamera2") is not None, reason="hardware: picamera2 is installed here")
def test_without_picamera2_the_message_says_what_to_install():
    with pytest.raises(NoCamera, match="python3-picamera2"):
        CameraOpener(CameraConfig(source="pi"))()
