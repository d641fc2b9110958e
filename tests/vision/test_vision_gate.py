import cv2
import numpy as np
import pytest

from moodify.types import Image, PixelLayout
from moodify.vision.gate import MotionGate

THRESHOLD = 0.02


def room(light=1.0):
    x, y = np.meshgrid(np.arange(320), np.arange(240))
    scene = 90 + 50 * np.sin(x / 23) * np.cos(y / 31)
    scene[120:, 200:] = 35
    return np.clip(scene * light, 0, 255)


class Watch:
    """A gate, and a camera with noise before it."""

    def __init__(self, sigma=4.0, threshold=THRESHOLD):
        self.rng = np.random.default_rng(7)
        self.sigma = sigma
        self.gate = MotionGate(threshold)

    def look(self, scene):
        noisy = np.clip(scene + self.rng.normal(0, self.sigma, scene.shape), 0, 255).astype(np.uint8)
        return self.gate.look(Image(noisy, PixelLayout.GREY))

    def settle(self, scene, frames=5):
        for _ in range(frames):
            self.look(scene)


def test_the_first_frame_counts_as_movement():
    assert Watch().look(room()).moved


@pytest.mark.parametrize("sigma", [0, 4, 12])
def test_noise_in_a_still_room_is_no_movement(sigma):
    watch = Watch(sigma)
    watch.look(room())
    assert not any(watch.look(room()).moved for _ in range(50))


def test_noise_in_a_dark_room_is_no_movement():
    watch = Watch(sigma=10)
    watch.settle(room(0.1))
    assert not any(watch.look(room(0.1)).moved for _ in range(50))


def test_whoever_walks_through_is_movement_all_the_way():
    watch = Watch()
    watch.settle(room())
    for x in range(10, 260, 25):
        scene = room()
        cv2.ellipse(scene, (x, 150), (20, 70), 0, 0, 360, 170, -1)
        assert watch.look(scene).moved


def test_a_room_that_was_left_comes_to_rest():
    watch = Watch()
    watch.settle(room())
    somebody = room()
    cv2.ellipse(somebody, (100, 150), (30, 80), 0, 0, 360, 200, -1)
    watch.settle(somebody, 30)
    assert watch.look(room()).moved
    watch.settle(room(), 20)
    assert not watch.look(room()).moved


@pytest.mark.parametrize(("before", "after"), [(1.0, 0.3), (0.3, 1.0), (1.0, 0.05), (0.05, 1.0)])
def test_a_lamp_that_is_switched_settles(before, after):
    watch = Watch()
    watch.settle(room(before))
    watch.look(room(after))
    assert not any(watch.look(room(after)).moved for _ in range(20))


def test_a_lamp_that_lights_half_of_the_room_settles():
    watch = Watch()
    watch.settle(room())
    lit = room()
    lit[:, :160] += 80
    assert watch.look(lit).moved
    watch.settle(lit, 15)
    assert not any(watch.look(lit).moved for _ in range(20))


def test_dusk_is_no_movement():
    watch = Watch()
    watch.settle(room())
    assert not any(watch.look(room(light)).moved for light in np.linspace(1, 0.2, 60))


@pytest.mark.parametrize(("threshold", "moved"), [(0.055, True), (0.07, False)])
def test_the_threshold_is_a_share_of_the_picture(threshold, moved):
    watch = Watch(sigma=0, threshold=threshold)
    watch.settle(room())
    scene = room()
    scene[:60, :80] = 250
    assert watch.look(scene).moved is moved


def test_brightness_is_the_mean_luma():
    watch = Watch(sigma=0)
    assert watch.look(np.full((240, 320), 51.0)).brightness == pytest.approx(0.2)


def test_another_size_of_frame_is_compared_all_the_same():
    watch = Watch(sigma=0)
    watch.settle(room())
    assert not watch.look(cv2.resize(room(), (640, 480), interpolation=cv2.INTER_LINEAR)).moved


def test_the_region_is_where_somebody_moved():
    watch = Watch()
    watch.settle(room())
    scene = room()
    cv2.ellipse(scene, (100, 150), (20, 70), 0, 0, 360, 200, -1)
    scene[20:24, 300:304] = 250
    assert watch.look(scene).region == pytest.approx((80, 80, 120, 220), abs=14)


def test_where_nothing_moved_there_is_no_region():
    watch = Watch()
    watch.settle(room())
    assert watch.look(room()).region is None


def test_a_camera_that_was_turned_sees_no_region():
    watch = Watch()
    watch.settle(room())
    elsewhere = np.kron(np.random.default_rng(3).choice([20.0, 240.0], (6, 8)), np.ones((40, 40)))
    motion = watch.look(elsewhere)
    assert (motion.moved, motion.region) == (True, None)
