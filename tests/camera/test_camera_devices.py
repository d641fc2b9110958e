"""USB and Pi cameras, over drivers that behave as the real ones do."""

import struct
import threading

import cv2
import numpy as np
import pytest
from camera_parts import LoopingCapture, write_clip
from picamera2_parts import FakePicamera2

from moodify.camera.pi import PiCamera
from moodify.camera.planes import unpack_planes
from moodify.camera.usb_devices import VideoNode, parse_capability, usb_cameras
from moodify.camera.v4l2 import UsbCamera, open_capture
from moodify.errors import CameraLost, NoCamera
from moodify.types import PixelLayout
from processes import open_files
from waiting import wait_until

#: Up to OpenCV 4.11 the level is kept in cv2 itself.
OPENCV_LOG = getattr(cv2.utils, "logging", cv2)


@pytest.fixture
def usb(tmp_path):
    device = LoopingCapture(cv2.VideoCapture(str(write_clip(tmp_path / "clip.avi"))))
    node = VideoNode(tmp_path / "clip.avi", "C920", "usb-1", captures=True)
    camera = UsbCamera(fps=100, timeout_s=30, cameras=lambda: (node,), capture=lambda _path: device)
    camera.device = device
    yield camera
    device.silent.clear()
    camera.close()
    assert device.released.wait(30)


def test_a_usb_camera_that_is_unplugged_is_lost_with_the_reason(usb):
    usb.read()
    usb.device.unplugged = True
    with pytest.raises(CameraLost, match=r"USB camera 0 \(C920\) gave no frame: unplugged"):
        [usb.read() for _ in range(1000)]
    assert usb.device.released.wait(30)


def test_a_usb_camera_that_hangs_is_lost_after_the_time_out(usb):
    usb.read()
    usb.device.silent.set()
    usb._timeout_s = 0.2
    with pytest.raises(CameraLost, match=r"for 0.2 s"):
        [usb.read() for _ in range(1000)]


def test_closing_a_usb_camera_gives_the_device_back(usb):
    usb.close()
    assert usb.device.released.is_set()


def test_closing_a_usb_camera_leaves_no_handle_on_what_opencv_opened(tmp_path):
    # A file stands for the device, which a machine without a camera does not have: OpenCV holds it open while it reads, as it does a device.
    clip = write_clip(tmp_path / "clip.avi")
    node = VideoNode(clip, "C920", "usb-1", captures=True)

    def held():
        return [name for name, _ in open_files(["self"]) if name == str(clip)]

    with UsbCamera(fps=100, cameras=lambda: (node,), capture=lambda path: LoopingCapture(cv2.VideoCapture(path))) as camera:
        camera.read()
        assert held() == [str(clip)]
    assert held() == []


def test_a_usb_camera_that_hangs_counts_as_held_until_it_lets_go(tmp_path):
    device = LoopingCapture(cv2.VideoCapture(str(write_clip(tmp_path / "clip.avi"))))
    node = VideoNode(tmp_path / "clip.avi", "C920", "usb-1", captures=True)
    camera = UsbCamera(fps=100, close_within_s=0.01, cameras=lambda: (node,), capture=lambda _path: device)
    camera.read()
    device.silent.set()
    assert device.waits.wait(30)
    camera.close()
    assert camera.stuck
    device.silent.clear()
    assert device.released.wait(30)
    wait_until(lambda: not camera.stuck, what="its being given back")


AUTOMATIC = {cv2.CAP_PROP_AUTO_EXPOSURE: 3, cv2.CAP_PROP_EXPOSURE: 157.0, cv2.CAP_PROP_AUTO_WB: 1, cv2.CAP_PROP_WB_TEMPERATURE: 4100.0}
BY_HAND = {**AUTOMATIC, cv2.CAP_PROP_AUTO_EXPOSURE: 1, cv2.CAP_PROP_AUTO_WB: 0}


def test_a_usb_camera_holds_what_its_automatic_had_found_until_it_may_go_by_the_light(usb):
    usb.device.controls = dict(AUTOMATIC)
    usb.hold_exposure(True)
    # What was found is set again, for a device may go back to what was set by hand once; the colours' last.
    found = [(value, AUTOMATIC[value]) for value in (cv2.CAP_PROP_EXPOSURE, cv2.CAP_PROP_WB_TEMPERATURE)]
    wait_until(lambda: found[-1] in usb.device.sets, what="its being held")
    assert usb.device.controls == BY_HAND
    assert [usb.device.sets.count(each) for each in found] == [1, 1]
    usb.hold_exposure(False)
    wait_until(lambda: usb.device.controls == AUTOMATIC, what="its being let go of")


def test_a_usb_camera_that_is_closed_while_it_is_held_goes_by_the_light_again(usb):
    usb.device.controls = dict(AUTOMATIC)
    usb.hold_exposure(True)
    wait_until(lambda: usb.device.controls == BY_HAND, what="its being held")
    usb.close()
    assert usb.device.controls == AUTOMATIC


def test_a_usb_camera_that_a_killed_run_left_held_goes_by_the_light_once_it_is_opened(tmp_path):
    device = LoopingCapture(cv2.VideoCapture(str(write_clip(tmp_path / "clip.avi"))))
    device.controls = dict(BY_HAND)
    node = VideoNode(tmp_path / "clip.avi", "C920", "usb-1", captures=True)
    with UsbCamera(fps=100, cameras=lambda: (node,), capture=lambda _path: device):
        assert device.controls == AUTOMATIC


def test_a_usb_camera_that_is_not_there_names_those_that_are(tmp_path):
    node = VideoNode(tmp_path, "C920", "usb-1", captures=True)
    with pytest.raises(NoCamera, match=r"usb:0 \(C920\)"):
        UsbCamera(1, cameras=lambda: (node,))


def test_a_usb_camera_that_does_not_open_says_what_to_do(tmp_path):
    node = VideoNode(tmp_path / "video0", "C920", "usb-1", captures=True)
    with pytest.raises(CameraLost, match="end other programs"):
        UsbCamera(cameras=lambda: (node,), capture=open_capture)


def test_a_usb_camera_leaves_opencv_s_log_as_it_was(tmp_path):
    before = OPENCV_LOG.getLogLevel()
    assert before > 0
    device = LoopingCapture(cv2.VideoCapture(str(write_clip(tmp_path / "clip.avi"))))
    node = VideoNode(tmp_path / "video0", "C920", "usb-1", captures=True)
    with UsbCamera(fps=100, cameras=lambda: (node,), capture=lambda _path: device) as camera:
        camera.read()
    with pytest.raises(CameraLost):
        UsbCamera(cameras=lambda: (node,), capture=open_capture)
    assert OPENCV_LOG.getLogLevel() == before


def fail(*_):
    raise cv2.error("broken driver")


def test_a_usb_camera_whose_thread_fails_is_lost_at_once_and_opened_again(tmp_path, caplog):
    device = LoopingCapture(cv2.VideoCapture(str(write_clip(tmp_path / "clip.avi"))))
    device.grab = lambda: 1 / 0
    node = VideoNode(tmp_path, "C920", "usb-1", captures=True)
    # Sooner than the time-out, which is longer than this test may take.
    with pytest.raises(CameraLost, match="opened again"), UsbCamera(fps=100, timeout_s=600, cameras=lambda: (node,), capture=lambda _path: device) as camera:
        camera.read()
    assert "failed in a way that is not known" in caplog.text


@pytest.mark.parametrize("where", ["isOpened", "grab", "retrieve"])
def test_no_opencv_exception_gets_out(tmp_path, where):
    device = LoopingCapture(cv2.VideoCapture(str(write_clip(tmp_path / "clip.avi"))))
    setattr(device, where, fail)
    node = VideoNode(tmp_path, "C920", "usb-1", captures=True)
    with pytest.raises(CameraLost), UsbCamera(fps=100, cameras=lambda: (node,), capture=lambda _path: device) as camera:
        camera.read()


def capability(card, bus, caps, device_caps):
    return struct.pack("=16s32s32sIII3I", b"driver", card, bus, 0, caps, device_caps, 0, 0, 0)


def test_a_node_for_metadata_is_told_from_one_for_pictures(tmp_path):
    pictures = parse_capability(tmp_path, capability(b"C920", b"usb-0000:01:00.0-1.2", 0x84A00001, 0x04200001))
    metadata = parse_capability(tmp_path, capability(b"C920", b"usb-0000:01:00.0-1.2", 0x84A00001, 0x04A00000))
    assert (pictures.card, pictures.bus[:4], pictures.captures) == ("C920", "usb-", True)
    assert not metadata.captures


def test_files_that_are_no_video_nodes_are_no_cameras(tmp_path):
    (tmp_path / "video0").write_text("")
    assert usb_cameras(tmp_path) == ()


@pytest.fixture
def driver():
    return FakePicamera2()


def open_pi(driver, **options):
    return PiCamera(**{"fps": 100, "settle_s": 0, "timeout_s": 0.1, "picamera2": driver, **options})


@pytest.mark.parametrize(("name", "layout"), [("YUV420", PixelLayout.I420), ("NV12", PixelLayout.NV12)])
def test_the_pi_camera_gives_both_streams_in_the_format_that_the_driver_chose(name, layout):
    with open_pi(FakePicamera2(name)) as camera:
        frame = camera.read()
    assert (frame.image.width, frame.image.height, frame.image.layout) == (320, 240, layout)
    assert (frame.detail.width, frame.detail.height, frame.detail.layout) == (1280, 960, layout)


def test_the_pi_camera_says_its_model_and_asks_for_few_buffers_and_no_raw(driver):
    with open_pi(driver) as camera:
        assert "imx708" in camera.description
    assert (driver.wanted["raw"], driver.wanted["buffer_count"], driver.wanted["queue"]) == (None, 3, False)


def test_every_request_is_given_back(driver):
    with open_pi(driver) as camera:
        for _ in range(5):
            camera.read()
    assert driver.given_back == 5


def test_a_request_is_given_back_even_when_its_pixels_can_not_be_read(driver):
    with open_pi(driver) as camera:
        driver.make_buffer = lambda _name: np.zeros(10, np.uint8)
        with pytest.raises(CameraLost, match="10 bytes"):
            camera.read()
    assert driver.given_back == 1


def test_a_hung_pi_camera_is_lost_flushed_closed_and_opens_again(driver):
    camera = open_pi(driver)
    driver.hung = True
    with pytest.raises(CameraLost, match=r"gave no frame for 0.1 s"):
        camera.read()
    camera.close()
    assert driver.calls[-3:] == ["flush", "stop", "close"]
    driver.hung = False
    with open_pi(driver) as again:
        assert again.read().sequence == 0


def test_closing_ends_a_read_of_a_hung_pi_camera_before_its_time_out(driver):
    driver.hung = True
    camera = open_pi(driver, timeout_s=3600)
    lost = []

    def read():
        with pytest.raises(CameraLost, match="closed") as error:
            camera.read()
        lost.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    assert driver.asked.wait(30)
    camera.close()
    reader.join(30)
    assert lost


def test_frames_are_given_back_unread_until_the_exposure_has_settled(driver):
    driver.metadata = [{"AeState": 1}, {"AeState": 1}, {"AeState": 2}, {}]
    with open_pi(driver, settle_s=60) as camera:
        camera.read()
    assert (driver.given_back, driver.copied) == (4, 2)


def test_a_driver_that_tells_of_a_lock_is_understood_as_well(driver):
    driver.metadata = [{"AeLocked": False}, {"AeLocked": True}, {}]
    with open_pi(driver, settle_s=60) as camera:
        camera.read()
    assert driver.given_back == 3


def test_an_exposure_that_never_settles_or_is_not_told_of_is_waited_for_no_longer_than_was_said(driver):
    for driver.metadata in ([{"AeState": 1}], [{}]):
        with open_pi(driver, settle_s=0.05) as camera:
            assert camera.read().sequence == 0


def test_a_fixed_exposure_is_settled(driver):
    driver.metadata = [{"AeState": 0}]
    with open_pi(driver, settle_s=60) as camera:
        camera.read()
    assert driver.given_back == 2


def test_a_pi_camera_holds_by_stopping_what_sets_exposure_and_white_balance(driver):
    with open_pi(driver) as camera:
        camera.hold_exposure(True)
        assert driver.calls[-1] == {"AeEnable": False, "AwbEnable": False}
        camera.hold_exposure(False)
        assert driver.calls[-1] == {"AeEnable": True, "AwbEnable": True}


def test_a_sensor_without_colours_holds_the_exposure_alone(driver):
    del driver.camera_controls["AwbEnable"]
    with open_pi(driver) as camera:
        camera.hold_exposure(True)
        assert driver.calls[-1] == {"AeEnable": False}


def test_a_pi_camera_that_can_not_hold_says_so_in_the_log_and_goes_on(driver, caplog):
    with open_pi(driver) as camera:
        del driver.camera_controls
        camera.hold_exposure(True)
        assert camera.read() is not None
    assert "does not hold its exposure" in caplog.text


def test_a_lens_that_moves_follows_who_comes_closer(driver):
    driver.camera_controls["AfMode"] = (0, 2, None)
    with open_pi(driver):
        assert driver.wanted["controls"]["AfMode"] == 2


def test_a_lens_that_does_not_move_is_told_nothing(driver):
    with open_pi(driver):
        assert "AfMode" not in driver.wanted["controls"]


@pytest.mark.parametrize("detail_width", [640, 1280])
def test_colours_come_in_the_space_that_they_are_read_in_at_any_size(driver, detail_width):
    with open_pi(driver, detail_width=detail_width):
        assert driver.colour_space.name == "Smpte170m"


def test_a_busy_pi_camera_is_lost_not_missing(driver):
    driver.busy = True
    with pytest.raises(CameraLost, match="is busy: another program holds it, or the service does"):
        open_pi(driver)


def test_a_missing_pi_camera_says_to_check_the_cable(driver):
    driver.cameras = []
    with pytest.raises(NoCamera, match="ribbon cable"):
        open_pi(driver)


def test_usb_cameras_that_libcamera_lists_too_are_not_the_pi_s(driver):
    driver.cameras.insert(0, {"Model": "C270", "Id": "/base/scb/pcie@7d500000/pci@0,0/usb@0,0-1.3:1.0-046d:0825", "Num": 0})
    driver.cameras[1]["Num"] = 1
    with open_pi(driver) as camera:
        assert "imx708" in camera.description
    assert driver.number == 1
    del driver.cameras[1]
    with pytest.raises(NoCamera, match="ribbon cable"):
        open_pi(driver)


def test_a_format_that_is_not_understood_is_refused_and_the_device_given_back():
    driver = FakePicamera2("RGB888")
    with pytest.raises(NoCamera, match="RGB888"):
        open_pi(driver)
    assert driver.calls[-1] == "close"


@pytest.mark.parametrize("where", ["global_camera_info", "create_video_configuration", "configure", "camera_configuration", "start"])
def test_no_exception_of_the_pi_camera_gets_out_of_opening(driver, where):
    def broken(*_args, **_options):
        raise RuntimeError("libcamera")

    setattr(driver, where, broken)
    with pytest.raises(CameraLost, match="libcamera"):
        open_pi(driver)


def padded(planes, stride, width):
    return np.concatenate([np.pad(plane, ((0, 0), (0, (stride if plane.shape[1] == width else stride // 2) - plane.shape[1])), constant_values=7).ravel() for plane in planes])


def test_padding_is_taken_out_of_i420():
    y, u, v = (np.arange(rows * columns, dtype=np.uint8).reshape(rows, columns) for rows, columns in ((4, 6), (2, 3), (2, 3)))
    image = unpack_planes(padded([y, u, v + 100], 8, 6), PixelLayout.I420, (6, 4), 8)
    assert (image.width, image.height) == (6, 4)
    assert np.array_equal(image.pixels.ravel(), np.concatenate([y.ravel(), u.ravel(), (v + 100).ravel()]))


def test_padding_is_taken_out_of_nv12_and_bytes_after_it_are_left():
    y, uv = np.arange(24, dtype=np.uint8).reshape(4, 6), np.arange(12, dtype=np.uint8).reshape(2, 6)
    buffer = np.concatenate([padded([y, uv], 8, 6), np.zeros(100, np.uint8)])
    assert np.array_equal(unpack_planes(buffer, PixelLayout.NV12, (6, 4), 8).pixels, np.vstack([y, uv]))


@pytest.mark.parametrize(("size", "stride"), [((5, 4), 8), ((6, 3), 8), ((6, 4), 4), ((64, 64), 64)])
def test_a_buffer_that_can_not_be_right_is_refused(size, stride):
    with pytest.raises(ValueError, match=f"{size[0]}x{size[1]}"):
        unpack_planes(np.zeros(100, np.uint8), PixelLayout.I420, size, stride)
