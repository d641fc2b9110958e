"""The Pi's camera in a process of its own, over a driver that behaves as the real one does, at its worst too."""

import fcntl
import mmap
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from picamera2_parts import driver_of

from moodify.camera.apart import ApartCamera, open_pi
from moodify.camera.steady import Opened, SteadyCamera
from moodify.errors import CameraLost, NoCamera
from moodify.types import Frame, PixelLayout
from processes import AS_A_USER, may_be_looked_into, open_files
from waiting import wait_until


def apart(fake="FakePicamera2()", levers="pass", **options):
    return ApartCamera({}, **{"fps": 100, "settle_s": 0, "command": driver_of(fake, levers), **options})


def pid_of(camera):
    return camera._process.pid


def is_there(pid):
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def handles():
    return {path.name for path in Path("/proc/self/fd").iterdir()}


@pytest.mark.parametrize(("name", "layout"), [("YUV420", PixelLayout.I420), ("NV12", PixelLayout.NV12)])
def test_both_pictures_cross_as_the_driver_gave_them(name, layout):
    with apart(f"FakePicamera2({name!r})") as camera:
        frame = camera.read()
    for image, size in ((frame.image, (320, 240)), (frame.detail, (1280, 960))):
        assert (image.width, image.height, image.layout) == (*size, layout)
        assert np.all(image.pixels[: image.height] == 50)
    assert (frame.image.pixels[240, 0], frame.image.pixels[-1, -1]) == (100, 200)


def test_a_frame_stays_as_it_is_when_the_next_one_comes():
    levers = "planes = fake.make_buffer; fake.make_buffer = lambda name: planes(name) + np.uint8(fake.copied)"
    with apart(levers=levers) as camera:
        first = camera.read()
        before = first.image.pixels.copy()
        assert not np.array_equal(camera.read().image.pixels, before)
    assert np.array_equal(first.image.pixels, before)


def test_the_driver_holds_the_exposure_between_two_frames(tmp_path):
    log = tmp_path / "calls"
    with apart(levers=f"fake.set_controls = lambda controls: open({str(log)!r}, 'a').write(str(controls))") as camera:
        camera.hold_exposure(True)
        camera.read()
        assert log.read_text() == "{'AeEnable': False, 'AwbEnable': False}"
        camera.hold_exposure(False)
        camera.read()
        assert log.read_text().endswith("{'AeEnable': True, 'AwbEnable': True}")


def memories():
    """The memory without a name that this process has open."""
    return [handle for name, handle in open_files(["self"]) if name.startswith("/memfd:moodify-frame")]


def test_the_memory_that_pixels_cross_in_is_one_keeps_its_size_and_is_written_by_the_driver_alone():
    with apart() as camera:
        camera.read()
        frame = camera.read()
        (memory,) = memories()
        size = frame.image.pixels.size + frame.detail.pixels.size
        assert memory.stat().st_size == size
        handle = int(memory.name)
        seals = fcntl.fcntl(handle, fcntl.F_GET_SEALS)
        assert seals & (everything := fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL) == everything
        with pytest.raises(PermissionError):
            os.pwrite(handle, b"x", 0)
        with pytest.raises(PermissionError):
            mmap.mmap(handle, size)
    assert memories() == []


def test_no_program_that_is_started_gets_the_memory_that_pixels_cross_in(monkeypatch):
    received = []
    inner = socket.socket.recvmsg

    class Watched(socket.socket):
        def recvmsg(self, *arguments):
            said = inner(self, *arguments)
            received.extend((fd := int.from_bytes(data, sys.byteorder), os.get_inheritable(fd)) for _, _, data in said[1])
            return said

    monkeypatch.setattr(socket, "socket", Watched)
    with apart() as camera:
        camera.read()
        # Not even in the moment in which it comes.
        assert [inherited for _, inherited in received] == [False]
        assert not any(os.get_inheritable(int(memory.name)) for memory in memories())


def test_only_root_sees_what_the_driver_has_open():
    with apart(command=(*AS_A_USER, *driver_of())) as camera:
        camera.read()
        assert not may_be_looked_into(pid_of(camera))


def test_closing_ends_the_process_and_leaves_no_file_open():
    before = handles()
    with apart() as camera:
        camera.read()
        pid = pid_of(camera)
    assert not is_there(pid)
    assert handles() == before


def test_a_driver_without_a_frame_says_so_and_opens_again():
    with apart(levers="fake.hung = True", timeout_s=0.2) as camera, pytest.raises(CameraLost, match=r"gave no frame for 0\.2 s; check the ribbon cable"):
        camera.read()
    with apart() as again:
        assert again.read().sequence == 0


def test_a_driver_that_is_frozen_is_lost_and_ended_and_nobody_else_waits():
    camera = apart(timeout_s=2.0, close_within_s=0.1)
    camera.read()
    os.kill(pid_of(camera), signal.SIGSTOP)
    with pytest.raises(CameraLost, match="its driver hangs; check the ribbon cable"):
        camera.read()
    camera.close()
    assert not is_there(pid_of(camera))
    assert not camera.stuck


def test_a_driver_that_hangs_with_the_interpreter_s_lock_is_ended(caplog):
    camera = apart(levers="fake.stop_hangs = True", close_within_s=0.5)
    camera.read()
    camera.close()
    assert not is_there(pid_of(camera))
    assert "does not give its device back; its process is ended" in caplog.text


def test_a_driver_that_hangs_while_it_opens_is_ended():
    with pytest.raises(CameraLost, match=r"did not open within 0\.5 s"):
        apart(levers="fake.configure = lambda _: ctypes.PyDLL(None).sleep(3600)", open_within_s=0.5, close_within_s=0.1)


def test_a_camera_that_is_no_longer_wanted_while_it_opens_is_given_up_long_before_its_deadline():
    give_up, pids = threading.Event(), []

    def open_camera():
        return apart(levers="fake.configure = lambda _: ctypes.PyDLL(None).sleep(3600)", open_within_s=3600, close_within_s=0.1, give_up=give_up)

    started = subprocess.Popen

    def noted(*arguments, **options):
        process = started(*arguments, **options)
        pids.append(process.pid)
        return process

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess, "Popen", noted)
        steady = SteadyCamera(open_camera, give_up=give_up, close_within_s=20)
        wait_until(lambda: pids, what="the driver's process")
        steady.close()
    assert not steady.open
    assert not is_there(pids[0])


def test_closing_ends_a_read_of_a_frozen_driver():
    camera = apart(timeout_s=3600, close_within_s=0.1)
    os.kill(pid_of(camera), signal.SIGSTOP)
    lost = []

    def read():
        with pytest.raises(CameraLost, match="is closed") as error:
            camera.read()
        lost.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    wait_until(camera._reading.locked, what="a read under way")
    camera.close()
    reader.join(30)
    assert lost


def test_a_driver_that_crashes_is_lost_with_the_signal():
    with apart() as camera:
        camera.read()
        os.kill(pid_of(camera), signal.SIGSEGV)
        with pytest.raises(CameraLost, match=r"ended by itself \(signal SIGSEGV\)"):
            [camera.read() for _ in range(1000)]


def test_a_driver_that_ends_while_it_opens_is_lost_with_its_status():
    with pytest.raises(CameraLost, match=r"ended by itself \(exit status 7\)"):
        apart(levers="sys.exit(7)")


def test_a_command_that_is_missing_is_lost():
    with pytest.raises(CameraLost, match="does not start"):
        apart(command=("/no/such/program",))


@pytest.mark.parametrize(
    ("levers", "error", "says"),
    [
        ("fake.cameras = []", NoCamera, "ribbon cable"),
        ("fake.busy = True", CameraLost, "busy: another program holds it"),
        ("fake.layout = 'RGB888'", NoCamera, "RGB888"),
        ("fake.start = lambda: 1 / 0", CameraLost, "does not start"),
    ],
)
def test_what_keeps_the_driver_from_opening_crosses_as_it_is(levers, error, says):
    with pytest.raises(error, match=says):
        apart(levers=levers)


def test_a_driver_goes_with_whoever_started_it_even_if_it_hangs():
    code = f"""
import os, sys
from moodify.camera.apart import ApartCamera
camera = ApartCamera({{}}, settle_s=0, command={driver_of(levers="fake.stop_hangs = True")!r})
print(camera._process.pid, flush=True)
os._exit(0)
"""
    asked = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True)
    wait_until(lambda: not is_there(int(asked.stdout)), what="the driver's end")


def test_a_steady_camera_goes_on_after_its_driver_froze():
    opened = []

    def open_camera():
        opened.append(apart(timeout_s=2.0, close_within_s=0.1))
        return opened[-1]

    with SteadyCamera(open_camera, retry_first_s=0.01) as steady:
        wait_until(lambda: isinstance(steady.next(0.1), Frame), what="a frame")
        os.kill(pid_of(opened[0]), signal.SIGSTOP)
        wait_until(lambda: isinstance(steady.next(0.1), Opened), what="opening it again")
        wait_until(lambda: isinstance(steady.next(0.1), Frame), what="a frame")
    assert not any(is_there(pid_of(camera)) for camera in opened)


def test_a_machine_without_picamera2_hears_what_to_install_without_a_process(monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.delitem(sys.modules, "picamera2", raising=False)
    with pytest.raises(NoCamera, match="python3-picamera2"):
        open_pi(width=320, height=240, detail_width=1280, fps=5, timeout_s=5)
