"""The look at a person's skin: begun by its person, fed by the watcher, and over in every way that it can be."""

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from uuid import uuid4

import numpy as np
import pytest
from daemon_house import DaemonHouse

from moodify.daemon.aiming import Aiming
from moodify.daemon.signals import SkinLook, ThreadDied
from moodify.daemon.skin_look import LEFT_S, TOLD_S, SkinLooks
from moodify.errors import NotPermitted, PersonMustAct, RetryLater, StoreBusy
from moodify.panel.port import Show
from moodify.skin.capture import PATIENCE_S, SAY, Step
from moodify.skin.rendering import Skin, View, render
from moodify.skin.summing import SHOTS
from moodify.types import Box, Face, Frame, Image, PixelLayout
from moodify.web.skin_fake import FakeSkin
from moodify.web.skin_port import KeptLook
from waiting import wait_until

ADA, BO = uuid4(), uuid4()
OK = {"state": "ok", "message": "a fake camera"}


@lru_cache
def rendered(**view):
    # As few pixels as a look takes.
    return render(Skin(), View(**{"eyes_px": 66.0, **view}))


class Mirror:
    """Somebody whose skin may be looked at, and who stands before the camera."""

    def __init__(self):
        self.skin, self.told, self.now_s, self.t_s = FakeSkin(), [], 1000.0, 50.0
        self.private, self.camera, self.aimed, self.portraits, self.date_doubted = False, OK, False, False, False
        self.looks = SkinLooks(
            self.skin,
            self.told.append,
            private=lambda: self.private,
            camera=lambda: self.camera,
            aims=lambda: self.aimed,
            portraits=lambda: self.portraits,
            date_doubted=lambda: self.date_doubted,
            clock=lambda: self.now_s,
        )
        for user in (ADA, BO):
            self.skin.opt_in(user)

    def begin(self, user=ADA, name="Ada", skin_type=None, *, keep=True):
        return self.looks.begin(user, name, skin_type=skin_type, keep=keep)

    def frame(self, seconds=0.25, *, somebody=True, **view):
        """Show the next frame; return whether the exposure is to be held."""
        pixels, landmarks = rendered(**view)
        points = np.array(landmarks)
        faces = [Face(Box(*(points.min(axis=0) - 20), *(points.max(axis=0) + 20)), landmarks, 0.99)] if somebody else []
        self.t_s += seconds
        return self.looks.look(Frame(Image(pixels, PixelLayout.RGB), self.t_s, 0), faces)

    def hold_still(self):
        """Show frames until no more are wanted."""
        while self.looks.wants_frames:
            self.frame()

    def result(self, user=ADA):
        return wait_until(lambda: (now := self.looks.now(user)) and now.is_over and now, what="the end of the look")


@pytest.fixture
def mirror():
    return Mirror()


def test_who_holds_still_is_told_so_and_gets_a_record_that_is_kept(mirror):
    begun = mirror.begin(skin_type=3)
    assert (begun.guidance, begun.is_over) == (None, False)
    mirror.frame()
    guided = mirror.looks.now(ADA)
    assert guided.version > begun.version
    assert guided.guidance.say == SAY[Step.HOLD_STILL]
    mirror.hold_still()
    done = mirror.result()
    assert done.guidance.taken == SHOTS
    assert done.failed is None
    assert mirror.skin.looks(ADA) == [KeptLook(done.kept, done.record)]
    assert (done.record.skin_type, done.record.shots) == (3, SHOTS)
    assert done.record.oiliness_level is not None
    assert mirror.told == [SkinLook(on=True, by="Ada"), SkinLook(on=False, by="Ada")]


def test_a_look_is_held_against_its_persons_earlier_ones(mirror):
    for _ in range(4):
        mirror.begin()
        mirror.hold_still()
        last = mirror.result().record
    assert last.against_usual["oiliness_level"].looks == 3


def test_a_record_says_whether_its_date_is_known_to_be_wrong(mirror):
    said = []
    for mirror.date_doubted in (True, False):
        mirror.begin()
        mirror.hold_still()
        said.append(mirror.result().record.date_doubted)
    assert said == [True, False]


def test_a_look_at_a_portrait_says_so_and_nothing_of_it_is_kept(mirror):
    mirror.portraits = True
    assert mirror.begin().portrait
    mirror.hold_still()
    done = mirror.result()
    assert done.portrait
    assert done.record.oiliness_level is not None
    assert done.kept is None
    assert mirror.skin.looks(ADA) == []


def test_nobody_is_looked_at_who_has_not_agreed(mirror):
    mirror.skin.opt_out(ADA)
    with pytest.raises(NotPermitted):
        mirror.begin()
    assert not mirror.looks.wants_frames
    assert mirror.told == []


@pytest.mark.parametrize(
    ("error", "camera"),
    [
        (PersonMustAct, {"state": "broken", "message": "unplugged; plug it in"}),
        (PersonMustAct, {"state": "off", "message": "off"}),
        (RetryLater, {"state": "degraded", "message": "slow"}),
    ],
)
def test_without_pictures_it_does_not_begin_and_says_what_the_camera_says(mirror, error, camera):
    mirror.camera = camera
    with pytest.raises(error, match=camera["message"]):
        mirror.begin()


def test_in_privacy_it_does_not_begin(mirror):
    mirror.private = True
    with pytest.raises(PersonMustAct, match="turn privacy off"):
        mirror.begin()


def test_one_look_at_a_time_and_not_while_somebody_aims(mirror):
    mirror.aimed = True
    with pytest.raises(RetryLater, match="aims"):
        mirror.begin()
    mirror.aimed = False
    mirror.begin()
    with pytest.raises(RetryLater, match="somebody else"):
        mirror.begin(BO, "Bo")
    mirror.looks.end(ADA)
    mirror.begin(BO, "Bo")
    assert mirror.looks.now(ADA) is None


def test_nobody_aims_at_somebody_whose_skin_is_looked_at(mirror):
    aiming = Aiming(lambda _: None, taken=lambda: mirror.looks.under_way)
    mirror.begin()
    with pytest.raises(RetryLater, match="skin looked at"):
        aiming.begin("bo", "Bo")
    mirror.looks.end(ADA)
    aiming.begin("bo", "Bo")
    assert aiming.under_way


def test_only_who_began_sees_the_guidance(mirror):
    mirror.begin()
    mirror.frame()
    assert mirror.looks.now(ADA).guidance is not None
    assert mirror.looks.now(BO) is None
    mirror.looks.end(BO)
    assert mirror.looks.wants_frames


def test_who_begins_anew_follows_the_new_look(mirror):
    before = mirror.begin()
    mirror.frame()
    anew = mirror.begin()
    assert anew.guidance is None
    assert anew.version > before.version
    assert mirror.looks.now(ADA) == anew


def test_other_guidance_is_waited_for(mirror):
    version = mirror.begin().version
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(mirror.looks.now, ADA, version, 60.0)
        wait_until(lambda: mirror.looks._look.waiting, what="somebody who waits")
        mirror.frame(somebody=False)
        assert waiting.result(15).guidance.step is Step.COME_INTO_VIEW
    assert mirror.looks.now(ADA, version + 1, 0.01).version == version + 1


def test_who_ends_it_gets_nothing_and_nothing_is_kept(mirror):
    version = mirror.begin().version
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(mirror.looks.now, ADA, version, 60.0)
        wait_until(lambda: mirror.looks._look.waiting, what="somebody who waits")
        mirror.looks.end(ADA)
        assert waiting.result(15) is None
    assert mirror.frame() is False
    mirror.looks.end(ADA)
    assert mirror.told == [SkinLook(on=True, by="Ada"), SkinLook(on=False, by="Ada")]
    assert mirror.skin.looks(ADA) == []


def test_who_ends_it_while_it_is_being_kept_has_nothing_kept(mirror):
    reached, go_on = threading.Event(), threading.Event()
    inner = mirror.skin.looks

    def slow(user):
        reached.set()
        assert go_on.wait(30)
        return inner(user)

    mirror.skin.looks = slow
    mirror.begin()
    mirror.hold_still()
    assert reached.wait(15)
    keeping = next(thread for thread in threading.enumerate() if thread.name == "skin look")
    mirror.looks.end(ADA)
    mirror.begin(BO, "Bo")
    go_on.set()
    keeping.join(15)
    assert inner(ADA) == []
    # Nor does its end say that the next one is over.
    assert mirror.told == [SkinLook(on=True, by="Ada"), SkinLook(on=False, by="Ada"), SkinLook(on=True, by="Bo")]


def test_who_ends_it_in_the_moment_in_which_it_is_kept_has_it_erased(mirror):
    inner = mirror.skin.keep

    def keep(user, record):
        kept = inner(user, record)
        mirror.looks.end(ADA)
        return kept

    mirror.skin.keep = keep
    mirror.begin()
    mirror.hold_still()
    wait_until(lambda: "skin look" not in {thread.name for thread in threading.enumerate()}, what="the end of keeping")
    assert mirror.skin.looks(ADA) == []
    assert mirror.looks.now(ADA) is None


def test_a_look_that_is_not_to_be_kept_is_held_against_the_earlier_ones_and_gone(mirror):
    for _ in range(3):
        mirror.begin()
        mirror.hold_still()
        mirror.result()
    mirror.begin(keep=False)
    mirror.hold_still()
    done = mirror.result()
    assert (done.kept, done.record.against_usual["oiliness_level"].looks) == (None, 3)
    assert len(mirror.skin.looks(ADA)) == 3


def test_who_opts_out_elsewhere_is_looked_at_no_longer_once_they_ask_how_it_stands(mirror):
    version = mirror.begin().version
    mirror.skin.opt_out(ADA)
    told = mirror.looks.now(ADA, version, 60.0)
    assert "allow no looks" in told.failed
    assert not mirror.looks.wants_frames
    assert mirror.told[-1] == SkinLook(on=False, by="Ada")


def test_a_database_that_is_busy_for_a_moment_ends_no_look(mirror):
    version = mirror.begin().version
    mirror.skin.fail_with(StoreBusy("the database is locked; try again"))
    assert not mirror.looks.now(ADA, version, 0.01).is_over
    assert mirror.looks.wants_frames


def test_who_leaves_is_looked_at_no_longer(mirror):
    mirror.begin()
    mirror.now_s += LEFT_S - 0.1
    mirror.looks.end_if_over()
    assert mirror.looks.now(ADA) is not None
    mirror.now_s += LEFT_S - 0.1
    mirror.looks.end_if_over()
    assert mirror.looks.wants_frames
    mirror.now_s += 0.1
    mirror.looks.end_if_over()
    assert not mirror.looks.wants_frames
    assert mirror.looks.now(ADA) is None
    assert mirror.told[-1] == SkinLook(on=False, by="Ada")


def test_somebody_else_need_not_wait_for_who_has_left(mirror):
    mirror.begin()
    mirror.now_s += LEFT_S
    mirror.begin(BO, "Bo")
    assert mirror.told == [SkinLook(on=True, by="Ada"), SkinLook(on=False, by="Ada"), SkinLook(on=True, by="Bo")]


def test_how_it_ended_is_forgotten_after_a_while(mirror):
    mirror.begin()
    mirror.looks.fail("privacy is on; turn it off")
    assert mirror.result().failed == "privacy is on; turn it off"
    mirror.now_s += TOLD_S
    mirror.looks.end_if_over()
    assert mirror.looks.now(ADA) is None
    assert mirror.told == [SkinLook(on=True, by="Ada"), SkinLook(on=False, by="Ada")]


def test_it_is_given_up_after_a_minute_with_words_for_its_person(mirror):
    mirror.begin()
    mirror.frame(somebody=False)
    mirror.frame(PATIENCE_S + 1, somebody=False)
    assert mirror.result().failed == SAY[Step.GAVE_UP]
    assert mirror.skin.looks(ADA) == []


def test_who_has_opted_out_meanwhile_has_nothing_kept(mirror):
    mirror.begin()
    mirror.skin.opt_out(ADA)
    mirror.hold_still()
    assert "not allowed" in mirror.result().failed
    assert mirror.told[-1] == SkinLook(on=False, by="Ada")


def test_a_database_that_is_busy_is_told(mirror):
    mirror.begin()
    mirror.skin.fail_with(StoreBusy("the database is locked; try again"))
    mirror.hold_still()
    assert mirror.result().failed == "the database is locked; try again"


@pytest.mark.parametrize("where", ["look", "keep"])
def test_what_goes_wrong_inside_ends_the_look_and_nothing_else(mirror, where, caplog):
    def broken(*_):
        raise ZeroDivisionError

    mirror.begin()
    if where == "look":
        mirror.looks._look.capture.look = broken
    else:
        mirror.skin.keep = broken
    mirror.hold_still()
    assert "look into its log" in mirror.result().failed
    assert "ZeroDivisionError" in caplog.text
    assert not [signal for signal in mirror.told if isinstance(signal, ThreadDied)]


def test_the_exposure_is_held_once_the_light_is_right_and_let_go_with_the_last_shot(mirror):
    assert mirror.frame() is False
    mirror.begin()
    assert mirror.frame(exposure=0.03) is False
    held = []
    while mirror.looks.wants_frames:
        held.append(mirror.frame())
    assert held == [True] * (len(held) - 1) + [False]
    assert len(held) > SHOTS


def test_a_blurred_picture_is_no_reason_to_let_go(mirror):
    mirror.begin()
    for _ in range(4):
        assert mirror.frame(blur_px=5.0, noise=0.0) is True
    assert mirror.looks.now(ADA).guidance.step is Step.SHARPER


def test_a_camera_whose_light_is_wrong_whenever_it_is_held_is_held_no_more(mirror):
    mirror.begin()
    held = [mirror.frame() if number % 2 else mirror.frame(exposure=0.03) for number in range(8)]
    assert held == [False, True, False, True, False, False, False, False]


def test_no_pixels_stay(mirror):
    mirror.begin()
    mirror.hold_still()
    mirror.result()

    def pixels(thing, seen):
        if isinstance(thing, np.ndarray | Image | Frame):
            return True
        if id(thing) in seen or isinstance(thing, type | str):
            return False
        seen.add(id(thing))
        parts = [getattr(thing, name, None) for name in getattr(thing, "__slots__", ())] + list(getattr(thing, "__dict__", {}).values())
        parts += list(thing) if isinstance(thing, list | tuple) else list(thing.values()) if isinstance(thing, dict) else []
        return any(pixels(part, seen) for part in parts)

    look = mirror.looks._look
    assert look.capture.shots
    assert not pixels(look, set())


@pytest.fixture
def house(tmp_path):
    with DaemonHouse(tmp_path) as house:
        yield house


def test_the_room_is_told_by_name_and_no_broker_hears_of_it(house):
    house.sees_well().put(SkinLook(on=True, by="Ada"))
    wait_until(lambda: "Ada has their skin looked at" in str(house.board.now().get("music")), what="that the room is told")
    wait_until(lambda: house.lamp.shown[-1][0] is Show.LOOKING, what="that the light shows it")
    house.put(SkinLook(on=False, by="Ada"))
    wait_until(lambda: "Ada" not in str(house.board.now()["music"]), what="that it is over")
    assert house.end() == 0
    assert house.courier.publications
    assert "Ada" not in repr(house.courier.publications)
    assert "Ada" not in house.sink.getvalue()
    assert "Ada" not in repr(house.conductor.diagnosis())
