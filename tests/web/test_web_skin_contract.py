"""What the page is promised of looks at skin, by what keeps and takes them really and by the fake that stands for both."""

import itertools
from datetime import UTC, datetime
from functools import lru_cache
from uuid import UUID, uuid4

import numpy as np
import pytest

from looks import a_look
from moodify.accounts.tables import TableAccounts
from moodify.accounts.user import Role, User
from moodify.daemon.places import DATABASE
from moodify.daemon.skin_keeping import RunningSkinKeeping
from moodify.daemon.skin_look import SkinLooks
from moodify.errors import NoSuchUser, NotPermitted
from moodify.skin.capture import Step
from moodify.skin.record import Trait
from moodify.skin.rendering import Skin, View, render
from moodify.skin.summing import SHOTS
from moodify.store.accounts import AccountTransactions
from moodify.store.prepare import prepare
from moodify.types import Box, Face, Frame, Image, PixelLayout
from moodify.web.skin_fake import FakeSkin
from moodify.web.skin_port import KeptLook, Standing
from waiting import wait_until

ADA, BO = UUID(int=1), UUID(int=2)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def really_kept(folder):
    prepare(folder / DATABASE)
    with AccountTransactions(folder / DATABASE) as transactions:
        accounts = TableAccounts(transactions)
        for user in (ADA, BO):
            accounts.add(User(user, f"{user.int}@example.org", "Ada", "Lovelace", Role.OWNER, active=True, created_at=NOON, updated_at=NOON), "hash")
    return RunningSkinKeeping(folder / DATABASE)


@pytest.fixture(params=["fake", "real"])
def keeping(request, tmp_path):
    return FakeSkin({ADA, BO}.__contains__) if request.param == "fake" else really_kept(tmp_path)


def test_nobody_has_allowed_anything_to_begin_with(keeping):
    assert keeping.standing(ADA) == Standing(opted_in_at=None, shared=False)
    assert list(keeping.looks(ADA)) == []
    for refused in (lambda: keeping.keep(ADA, a_look()), lambda: keeping.share(ADA, on=True)):
        with pytest.raises(NotPermitted):
            refused()
    assert list(keeping.looks(ADA)) == []


def test_allowing_is_dated_once_and_of_one_person_alone(keeping):
    allowed = keeping.opt_in(ADA)
    assert allowed.opted_in_at.utcoffset() == UTC.utcoffset(None)
    assert allowed.shared is False
    assert keeping.opt_in(ADA) == allowed == keeping.standing(ADA)
    assert keeping.standing(BO).opted_in_at is None


def test_nobody_who_is_not_there_can_allow_anything(keeping):
    with pytest.raises(NoSuchUser):
        keeping.opt_in(uuid4())


def test_sharing_is_switched_on_and_off_and_ends_with_what_was_allowed(keeping):
    keeping.opt_in(ADA)
    assert keeping.share(ADA, on=True).shared
    assert not keeping.share(ADA, on=False).shared
    keeping.share(ADA, on=True)
    keeping.opt_out(ADA)
    assert keeping.opt_in(ADA).shared is False


def test_looks_come_back_as_they_were_the_oldest_first(keeping):
    keeping.opt_in(ADA)
    later, earlier = keeping.keep(ADA, a_look(day=8)), keeping.keep(ADA, a_look(day=1))
    assert list(keeping.looks(ADA)) == [earlier, later]
    assert earlier.record == a_look(day=1)
    assert list(keeping.looks(BO)) == []


def test_a_look_is_removed_by_whose_it_is_alone_and_once(keeping):
    keeping.opt_in(ADA)
    keeping.opt_in(BO)
    kept, other = keeping.keep(ADA, a_look()), keeping.keep(ADA, a_look(day=2))
    assert not keeping.remove(BO, kept.id)
    assert keeping.remove(ADA, kept.id)
    assert not keeping.remove(ADA, kept.id)
    assert list(keeping.looks(ADA)) == [other]


def test_who_allows_nothing_any_more_has_nothing_kept_and_others_keep_theirs(keeping):
    for user in (ADA, BO):
        keeping.opt_in(user)
        keeping.keep(user, a_look())
    keeping.opt_out(ADA)
    keeping.opt_out(ADA)
    assert keeping.standing(ADA).opted_in_at is None
    assert list(keeping.looks(ADA)) == []
    assert len(keeping.looks(BO)) == 1


class FakeStage:
    """The fake, whose levers say what the camera sees."""

    def __init__(self):
        self.keeping = self.looking = FakeSkin()

    def far_away(self):
        self.looking.guide(ADA, Step.COME_CLOSER)

    def well_seen(self):
        self.looking.see(ADA, {Trait.OILINESS: 20.0})

    def broken(self, why):
        self.looking.give_up(ADA, why)


@lru_cache
def rendered(eyes_px):
    return render(Skin(), View(eyes_px=eyes_px))


class RealStage:
    """What takes looks, before a rendered face."""

    def __init__(self):
        self.keeping = FakeSkin()
        self.looking = SkinLooks(self.keeping, lambda _signal: None)
        self._t_s = itertools.count(step=0.3)

    def _show(self, eyes_px):
        pixels, landmarks = rendered(eyes_px)
        points = np.array(landmarks)
        face = Face(Box(*(points.min(axis=0) - 20), *(points.max(axis=0) + 20)), landmarks, 0.99)
        self.looking.look(Frame(Image(pixels, PixelLayout.RGB), next(self._t_s), 0), [face])

    def far_away(self):
        self._show(30.0)

    def well_seen(self):
        for _ in range(40):
            if self.looking.wants_frames:
                self._show(66.0)
        wait_until(lambda: self.looking.now(ADA).is_over, what="the record")

    def broken(self, why):
        self.looking.fail(why)


@pytest.fixture(params=[FakeStage, RealStage])
def stage(request):
    stage = request.param()
    stage.keeping.opt_in(ADA)
    return stage


def test_no_look_begins_of_who_has_not_allowed_it(stage):
    with pytest.raises(NotPermitted):
        stage.looking.begin(BO, "Bo", skin_type=None)
    assert stage.looking.now(BO) is None


def test_a_look_is_seen_by_who_began_it_alone_and_begins_without_guidance(stage):
    begun = stage.looking.begin(ADA, "Ada", skin_type=None)
    assert (begun.guidance, begun.record, begun.kept, begun.failed, begun.is_over) == (None, None, None, None, False)
    assert stage.looking.now(ADA) == begun
    assert stage.looking.now(BO) is None


def test_each_change_has_a_higher_version_and_is_told_at_once(stage):
    begun = stage.looking.begin(ADA, "Ada", skin_type=None)
    stage.far_away()
    told = stage.looking.now(ADA, begun.version, 60.0)
    assert told.version > begun.version
    assert (told.guidance.step, told.guidance.taken) == (Step.COME_CLOSER, 0)


def test_without_a_change_the_same_is_told_after_the_wait(stage):
    begun = stage.looking.begin(ADA, "Ada", skin_type=None)
    assert stage.looking.now(ADA, begun.version, 0.01) == begun


def test_a_look_ends_with_its_record_kept_and_what_its_person_says_of_their_skin(stage):
    begun = stage.looking.begin(ADA, "Ada", skin_type=4)
    stage.well_seen()
    done = stage.looking.now(ADA, begun.version)
    assert done.is_over
    assert [KeptLook(done.kept, done.record)] == list(stage.keeping.looks(ADA))
    assert (done.record.skin_type, done.record.shots) == (4, SHOTS)
    # Over, it is told at once whatever is known already.
    assert stage.looking.now(ADA, done.version, 60.0) == done


def test_a_look_that_is_not_to_be_kept_is_told_and_gone(stage):
    begun = stage.looking.begin(ADA, "Ada", skin_type=4, keep=False)
    stage.well_seen()
    done = stage.looking.now(ADA, begun.version)
    assert (done.is_over, done.kept, done.record.skin_type) == (True, None, 4)
    assert list(stage.keeping.looks(ADA)) == []


def test_a_look_that_fails_says_why_and_keeps_nothing(stage):
    stage.looking.begin(ADA, "Ada", skin_type=None)
    stage.broken("Privacy is on. Turn it off.")
    told = stage.looking.now(ADA, 10**6, 60.0)
    assert (told.failed, told.record, told.kept, told.is_over) == ("Privacy is on. Turn it off.", None, None, True)
    assert list(stage.keeping.looks(ADA)) == []


def test_a_look_that_is_ended_is_known_no_more_and_another_may_begin(stage):
    first = stage.looking.begin(ADA, "Ada", skin_type=None)
    stage.looking.end(ADA)
    stage.looking.end(ADA)
    assert stage.looking.now(ADA) is None
    again = stage.looking.begin(ADA, "Ada", skin_type=None)
    assert again.guidance is None
    stage.far_away()
    assert stage.looking.now(ADA, again.version, 60.0).guidance.step is Step.COME_CLOSER
    assert first.record is None


def test_ending_what_one_never_began_leaves_others_alone(stage):
    begun = stage.looking.begin(ADA, "Ada", skin_type=None)
    stage.looking.end(BO)
    assert stage.looking.now(ADA) == begun
