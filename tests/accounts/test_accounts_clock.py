"""A Pi without a battery wakes up in its past, and is put right. Nobody is signed out by it, and nobody signed in for years."""

from datetime import timedelta

import pytest
from clocks import MovedClock
from people import NOON

from moodify.accounts.accounts import Accounts, NewUser
from moodify.accounts.clock import SLACK, SystemClock
from moodify.accounts.managing import TERMINAL
from moodify.accounts.memory import MemoryAccounts
from moodify.accounts.passwords import Hasher
from moodify.errors import NotSignedIn, StoreBusy, WrongSignIn

ADA = NewUser("ada@example.org", "Ada", "plover granite evening 47")
#: Years that a clock without a battery may be wrong by.
DECADES = timedelta(days=20_000)


class House:
    """Accounts on a machine whose clock is moved."""

    def __init__(self):
        self.clock = MovedClock()
        self.places = MemoryAccounts()
        self.start()

    def start(self):
        self.accounts = Accounts(self.places, Hasher(memory_kib=64, passes=1), bytes(32), audience="moodify-page:m-test", clock=self.clock)

    def restart(self, **time):
        self.clock.restart(**time)
        self.start()

    def lives(self, token):
        """Return whether a session can be renewed; try on a copy of what is kept, so that nothing is changed by asking."""
        copy = MemoryAccounts()
        copy.__dict__.update({name: dict(value) if isinstance(value, dict) else value for name, value in self.places.__dict__.items()})
        try:
            Accounts(copy, Hasher(memory_kib=64, passes=1), bytes(32), audience="moodify-page:m-test", clock=self.clock).refresh(token)
        except NotSignedIn:
            return False
        return True


@pytest.fixture
def house():
    return House()


@pytest.fixture
def ada(house):
    return house.accounts.claim(house.accounts.make_claim_code(), ADA, "x")


@pytest.mark.parametrize("step", [DECADES, timedelta(days=3), timedelta(minutes=2), -timedelta(days=3), -DECADES])
def test_a_step_of_the_clock_signs_nobody_out_and_lets_nobody_stay_longer(house, ada, step):
    house.clock.pass_by(days=1)
    house.clock.set_by(seconds=step.total_seconds())
    house.accounts.sessions(ada.user.id)
    assert house.lives(ada.refresh_token)
    house.clock.pass_by(days=28)
    assert house.lives(ada.refresh_token)
    house.clock.pass_by(days=1)
    assert not house.lives(ada.refresh_token)


def test_a_step_backwards_to_after_the_last_use_lets_a_session_stay_by_that_much_at_most(house, ada):
    house.clock.pass_by(days=10)
    house.clock.set_by(days=-3)
    house.accounts.sessions(ada.user.id)
    house.clock.pass_by(days=22)
    assert house.lives(ada.refresh_token)
    house.clock.pass_by(days=1)
    assert not house.lives(ada.refresh_token)


@pytest.mark.parametrize("days", [10_000, -10_000])
def test_a_step_before_anybody_has_asked_is_seen_too(house, ada, days):
    house.restart()
    house.clock.set_by(days=days)
    assert house.accounts.refresh(ada.refresh_token).refresh_expires == house.clock.utc() + timedelta(days=30)


@pytest.mark.parametrize("step", [DECADES, -DECADES])
def test_an_access_token_of_the_old_time_is_renewed_not_believed(house, ada, step):
    house.clock.set_by(seconds=step.total_seconds())
    with pytest.raises(NotSignedIn):
        house.accounts.who(ada.access_token)
    given = house.accounts.refresh(ada.refresh_token)
    assert house.accounts.who(given.access_token).user.email == "ada@example.org"
    assert given.refresh_expires == house.clock.utc() + timedelta(days=30)


def test_a_step_between_two_tabs_that_renew_is_no_theft(house, ada):
    given = house.accounts.refresh(ada.refresh_token)
    house.clock.set_by(days=10_000)
    house.clock.pass_by(seconds=5)
    assert house.accounts.refresh(ada.refresh_token).refresh_token == given.refresh_token


def test_a_step_backwards_keeps_the_grace_short(house, ada):
    house.accounts.refresh(ada.refresh_token)
    house.clock.set_by(days=-10_000)
    house.clock.pass_by(seconds=11)
    with pytest.raises(NotSignedIn):
        house.accounts.refresh(ada.refresh_token)
    assert house.accounts.sessions(ada.user.id) == ()


def test_an_invitation_outlasts_a_step_and_still_ends(house, ada):
    codes = [house.accounts.invite(ada.user.id, "Bo")[0] for _ in range(2)]
    house.clock.set_by(days=10_000)
    assert house.accounts.claim(codes[0], NewUser("bo@example.org", "Bo", "winter kettle harbour 9"), "x")
    house.clock.pass_by(days=8)
    with pytest.raises(WrongSignIn):
        house.accounts.claim(codes[1], NewUser("cy@example.org", "Cy", "winter kettle harbour 9"), "x")


def test_what_expired_before_a_step_stays_expired(house, ada):
    house.clock.pass_by(days=31)
    house.accounts.sessions(ada.user.id)
    house.clock.set_by(days=-60)
    house.accounts.sessions(ada.user.id)
    assert not house.lives(ada.refresh_token)


def test_a_session_of_the_future_has_at_most_its_thirty_days_after_a_restart(house, ada):
    house.restart(days=-10_000)
    house.accounts.sessions(ada.user.id)
    house.clock.pass_by(days=29)
    assert house.lives(ada.refresh_token)
    house.clock.pass_by(days=1)
    assert not house.lives(ada.refresh_token)


def test_time_off_counts_where_the_date_tells_it(house, ada):
    house.restart(days=29)
    assert house.lives(ada.refresh_token)
    house.restart(days=1)
    assert not house.lives(ada.refresh_token)


@pytest.mark.parametrize("days", [10_000, -10_000])
def test_a_session_that_a_right_clock_has_dated_is_left_alone(house, days):
    """Two hubs on one database: the clock of one is wrong, and is put right."""
    wrong = House()
    wrong.places = house.places
    wrong.clock.set_by(days=-days)
    wrong.start()
    wrong.accounts.invitations(TERMINAL)
    ada = house.accounts.claim(house.accounts.make_claim_code(), ADA, "x")
    for each in (house, wrong):
        each.clock.pass_by(days=5)
    wrong.clock.set_by(days=days)
    wrong.accounts.invitations(TERMINAL)
    assert house.places.session(ada.session_id).life.used == NOON


def test_running_a_little_fast_or_slow_moves_nothing(house, ada):
    for _ in range(100):
        house.clock.pass_by(hours=1)
        house.clock.set_by(seconds=SLACK.total_seconds() - 1)
        house.accounts.sessions(ada.user.id)
    assert house.places.session(ada.session_id).life.used == NOON


def test_a_step_that_can_not_be_written_now_is_made_up_for(house, ada):
    house.accounts.sessions(ada.user.id)
    house.clock.set_by(days=10_000)
    house.places.jam()
    with pytest.raises(StoreBusy):
        house.accounts.refresh(ada.refresh_token)
    house.places.free()
    assert house.accounts.refresh(ada.refresh_token)


def test_a_lock_out_ends_with_a_clock_that_is_set_back(house, ada):
    for _ in range(3):
        with pytest.raises(WrongSignIn):
            house.accounts.sign_in("ada@example.org", "a wrong password", "x")
    house.clock.set_by(days=-10_000)
    assert house.accounts.sign_in("ada@example.org", ADA.password, "x")


def test_the_machines_own_clock_goes_forward_and_has_a_date():
    clock = SystemClock()
    before = clock.now_s()
    assert clock.now_s() >= before > 0
    assert clock.utc().utcoffset() == timedelta()
