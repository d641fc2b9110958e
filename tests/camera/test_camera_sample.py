import sys

import numpy as np
import pytest

from moodify.camera.sample import Portrait, SampleCamera
from moodify.errors import NoCamera


@pytest.fixture
def sample():
    try:
        with SampleCamera(seed=3) as camera:
            yield camera
    except NoCamera as error:
        pytest.skip(str(error))


def test_a_moment_is_the_same_each_time_it_is_asked_for(sample):
    assert np.array_equal(sample.render(12.3), sample.render(12.3))
    with SampleCamera(seed=3) as other:
        assert np.array_equal(sample.render(40.0), other.render(40.0))
    with SampleCamera(seed=4) as other:
        assert not np.array_equal(sample.render(40.0), other.render(40.0))


def test_there_is_a_person_then_nobody_then_another_then_nobody(sample):
    contrast = [float(sample.render(t_s)[:, :, 1].std()) for t_s in (12.0, 29.0, 45.0, 62.0, 66.0 + 12.0)]
    assert [value > 40 for value in contrast] == [True, False, True, False, True]


def test_an_empty_room_is_quiet_but_a_person_moves(sample):
    def change(t_s):
        return np.abs(sample.render(t_s).astype(int) - sample.render(t_s + 1.0)).mean()

    assert change(27.0) < 6 < change(10.0)


def test_no_two_frames_are_alike_as_the_sensor_has_noise(sample):
    assert not np.array_equal(sample.render(29.0), sample.render(29.05))


def test_opening_it_leaves_stderr_to_the_house(sample, capfd):
    with SampleCamera():
        pass
    assert capfd.readouterr().err == ""


def test_people_fade_in_and_out(sample):
    coming, there = (float(sample.render(t_s)[:, :, 1].std()) for t_s in (0.2, 2.0))
    assert coming < there / 2


def test_lengths_can_be_chosen():
    try:
        camera = SampleCamera(astronaut_s=2, nobody_s=1, hopper_s=3, fade_s=0)
    except NoCamera as error:
        pytest.skip(str(error))
    assert camera.period_s == 7
    assert camera.render(1.9)[:, :, 1].std() > 40 > camera.render(2.1)[:, :, 1].std()


def test_the_packages_that_ship_the_portraits_are_not_imported(sample):
    assert not {"skimage", "matplotlib"} & set(sys.modules)


@pytest.mark.parametrize("portrait", [Portrait("no_such_package", "a.png", (0, 0, 1)), Portrait("moodify", "no_such_file.png", (0, 0, 1))])
def test_a_portrait_that_is_not_installed_says_how_to_install_it(portrait):
    with pytest.raises(NoCamera, match=r"-m pip install 'scikit-image>=0\.24,<1' 'matplotlib>=3\.9,<4'"):
        portrait.find()
