import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import pytest
from camera_parts import picture_of, write_clip, write_picture

from moodify.camera.files import Recording
from moodify.camera.pictures import fitted
from moodify.errors import NoCamera, PictureError


def frames_of(path, **options):
    with Recording(path, **{"pace": 0, **options}) as recording:
        return list(iter(recording.read, None))


def test_a_still_in_a_folder_stands_for_two_seconds_in_natural_order(tmp_path):
    for name, grey in (("face10.png", 200), ("face2.png", 100)):
        write_picture(tmp_path / name, grey)
    frames = frames_of(tmp_path)
    assert [round(frame.t_s, 3) for frame in frames] == [round(number * 0.2, 3) for number in range(20)]
    assert [int(frame.image.pixels[0, 0, 0]) for frame in frames] == [100] * 10 + [200] * 10


def test_what_is_no_picture_and_what_is_broken_is_skipped_and_said(tmp_path, caplog):
    write_picture(tmp_path / "good.png", 100)
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with caplog.at_level(logging.INFO):
        assert len(frames_of(tmp_path)) == 10
    assert "notes.txt" in caplog.text
    assert "broken.png" in caplog.text


def test_a_folder_without_pictures_says_what_to_do(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with pytest.raises(NoCamera, match=f"{tmp_path}.*put JPEG or PNG"):
        Recording(tmp_path)


def as_somebody_else(path):
    """Open a recording as a user who is not root; return what that says."""
    code = """
import os, sys
from pathlib import Path
from moodify.camera.files import Recording
from moodify.errors import MoodifyError
os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    Recording(Path(sys.argv[1]))
except MoodifyError as error:
    print(type(error).__name__, error)
"""
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="root: nobody else may become another user")
@pytest.mark.parametrize("mode", [0o700, 0o744])
def test_a_folder_that_belongs_to_another_user_is_named_with_the_next_step(mode):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_picture(folder / "a.png", 100)
        folder.chmod(mode)
        assert as_somebody_else(folder).startswith(f"NoCamera {folder} can't be read (Permission denied); let this user read and search it (chmod +rx)")
        assert as_somebody_else(folder / "a.png").startswith(f"PictureError {folder}/a.png: can't be looked at (Permission denied); check the path")


def test_a_name_that_is_too_long_is_refused(tmp_path):
    with pytest.raises(PictureError, match="can't be looked at"):
        Recording(tmp_path / ("x" * 300))


def test_a_folder_that_vanishes_ends_in_an_error_not_in_the_end(tmp_path):
    folder = tmp_path / "stick"
    folder.mkdir()
    for number in range(3):
        write_picture(folder / f"{number}.png", 100)
    with Recording(folder, pace=0) as recording:
        assert recording.read() is not None
        shutil.rmtree(folder)
        with pytest.raises(PictureError, match=f"{folder}: the last 2 of 3 pictures can't be read .*put them back"):
            list(iter(recording.read, None))


def test_a_picture_that_vanishes_is_skipped_while_others_follow(tmp_path, caplog):
    for number in range(3):
        write_picture(tmp_path / f"{number}.png", 100)
    with Recording(tmp_path, pace=0) as recording:
        recording.read()
        (tmp_path / "1.png").unlink()
        assert len(list(iter(recording.read, None))) == 19
    assert "1.png: there is no such file" in caplog.text


def test_a_broken_picture_at_the_end_is_no_lost_folder(tmp_path):
    write_picture(tmp_path / "a.png", 100)
    (tmp_path / "b.png").write_bytes(b"no picture")
    assert len(frames_of(tmp_path)) == 10


def test_a_picture_keeps_its_aspect_and_its_pixels_up_to_the_bound(tmp_path):
    frame = frames_of(write_picture(tmp_path / "wide.png", 100, size=(3000, 1000)))[0]
    assert (frame.image.width, frame.image.height) == (320, 107)
    assert (frame.detail.width, frame.detail.height) == (1280, 427)


def test_a_picture_of_one_pixel_is_a_frame_of_one_pixel(tmp_path):
    frame = frames_of(write_picture(tmp_path / "dot.png", 100, size=(1, 1)))[0]
    assert (frame.image.width, frame.image.height, frame.detail) == (1, 1, None)


def test_colours_are_red_green_blue(tmp_path):
    frame = frames_of(write_picture(tmp_path / "a.png", 0))[0]
    assert tuple(frame.image.pixels[120, 160]) == (255, 0, 0)


def test_pixels_that_a_still_shares_can_not_be_written(tmp_path):
    frame = frames_of(write_picture(tmp_path / "a.png", 0))[0]
    with pytest.raises(ValueError, match="read-only"):
        frame.image.pixels[0, 0] = 1


@pytest.mark.parametrize(("fps", "gap_s"), [(30, 0.2), (25, 0.2), (4, 0.25)])
def test_a_clip_has_its_own_time_and_is_thinned_out(tmp_path, fps, gap_s):
    times = [frame.t_s for frame in frames_of(write_clip(tmp_path / "clip.avi", fps=fps, frames=2 * fps))]
    assert times == pytest.approx([number * gap_s for number in range(len(times))], abs=0.02)
    assert len(times) == round(2 / gap_s)


def test_a_clip_plays_at_a_multiple_of_its_pace_by_the_clock(tmp_path):
    path = write_clip(tmp_path / "clip.avi", fps=10, frames=11)
    start_s = time.monotonic()
    frames_of(path, pace=5)
    assert time.monotonic() - start_s >= 0.8 / 5


class Liar:
    """A clip whose container tells nonsense."""

    def __init__(self, capture, fps, msec):
        self.capture, self.fps, self.msec = capture, fps, msec

    def get(self, what):
        return self.fps if what == cv2.CAP_PROP_FPS else self.msec

    def __getattr__(self, name):
        return getattr(self.capture, name)


@pytest.mark.parametrize("fps", [0.0, float("nan"), 90_000.0])
@pytest.mark.parametrize("msec", [0.0, -5.0, 1e15])
def test_a_clip_with_an_absurd_frame_rate_is_taken_for_25(tmp_path, fps, msec):
    recording = Recording(write_clip(tmp_path / "clip.avi", fps=25, frames=50), pace=0)
    recording._frames = recording._clip_frames(Liar(recording._clip, fps, msec), tmp_path)
    assert [frame.t_s for frame in iter(recording.read, None)] == pytest.approx([number * 0.2 for number in range(10)], abs=0.021)


def test_the_end_stays_the_end(tmp_path):
    with Recording(write_picture(tmp_path / "a.png", 0), pace=0) as recording:
        while recording.read() is not None:
            pass
        assert recording.read() is None


def png():
    return cv2.imencode(".png", picture_of(100))[1].tobytes()


@pytest.mark.parametrize("content", [b"", b"just text\n", b"\x89PNG\r\n\x1a\n", b"\xff\xd8", b"\xff\xd8\xff\xff", b"GIF89a", bytes(1000)])
@pytest.mark.parametrize("name", ["file.jpg", "file.mp4", "clip1.avi", "no_suffix"])
def test_what_is_neither_picture_nor_clip_is_refused_by_name(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(PictureError, match=name):
        Recording(tmp_path / name)


@pytest.mark.parametrize("name", ["pipe", "pipe.jpg", "pipe.mp4"])
def test_a_pipe_is_refused_and_not_waited_for(tmp_path, name):
    os.mkfifo(tmp_path / name)
    with pytest.raises(PictureError, match=f"{name}: is not a file"):
        Recording(tmp_path / name)


def test_what_is_refused_is_said_by_the_error_alone(tmp_path, capfd):
    (tmp_path / "notes").write_text("Dear diary,\n")
    with pytest.raises(PictureError, match="neither a picture nor a clip"):
        Recording(tmp_path / "notes")
    assert capfd.readouterr() == ("", "")


def test_a_missing_path_is_refused_by_name(tmp_path):
    with pytest.raises(PictureError, match=r"missing\.mp4"):
        Recording(tmp_path / "missing.mp4")


def test_a_picture_without_its_usual_suffix_is_read(tmp_path):
    (tmp_path / "photo").write_bytes(png())
    assert len(frames_of(tmp_path / "photo")) == 10


def test_fitting_never_enlarges():
    assert fitted((100, 50), (320, 240)) == (100, 50)
    assert fitted((100_000, 1), (320, 240)) == (320, 1)
