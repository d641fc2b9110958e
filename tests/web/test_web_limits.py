import pytest

from moodify.web.limits import ADDRESSES_AT_MOST, Allowance
from moodify.web.problems import Problem


class Clock:
    now_s = 100.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


def test_so_many_at_once_and_then_as_many_as_flow_in(clock):
    bucket = Allowance(3, 0.5, clock_s=clock)
    for _ in range(3):
        bucket.take("192.168.1.9")
    with pytest.raises(Problem, match="Wait 2 s") as refused:
        bucket.take("192.168.1.9")
    assert (refused.value.status, refused.value.headers["Retry-After"]) == (429, "2")
    clock.now_s += 2
    bucket.take("192.168.1.9")
    with pytest.raises(Problem):
        bucket.take("192.168.1.9")


def test_who_is_refused_does_not_wait_longer_for_asking_again(clock):
    bucket = Allowance(1, 1, clock_s=clock)
    bucket.take("a")
    for _ in range(50):
        with pytest.raises(Problem):
            bucket.take("a")
    clock.now_s += 1
    bucket.take("a")


def test_a_bucket_holds_no_more_than_its_burst(clock):
    bucket = Allowance(2, 10, clock_s=clock)
    clock.now_s += 1000
    bucket.take("a")
    bucket.take("a")
    with pytest.raises(Problem):
        bucket.take("a")


def test_one_address_does_not_use_up_another_s(clock):
    bucket = Allowance(1, 0.1, clock_s=clock)
    bucket.take("192.168.1.9")
    bucket.take("192.168.1.10")


@pytest.mark.parametrize("other", ["2001:db8::ffff", "2001:db8::2%eth0", "2001:0db8:0:0:1::"])
def test_the_addresses_of_one_home_s_network_count_as_one(clock, other):
    bucket = Allowance(1, 0.1, clock_s=clock)
    bucket.take("2001:db8::1")
    with pytest.raises(Problem):
        bucket.take(other)


@pytest.mark.parametrize(("one", "other"), [("fe80::1%eth0", "fe80::2%eth0"), ("fd12:3456:789a:1::1", "fd12:3456:789a:1::2")])
def test_the_machines_of_a_household_do_not_use_up_each_other_s(clock, one, other):
    bucket = Allowance(1, 0.1, clock_s=clock)
    bucket.take(one)
    bucket.take(other)
    with pytest.raises(Problem):
        bucket.take(one)


def test_an_ipv4_address_in_ipv6_is_itself(clock):
    bucket = Allowance(1, 0.1, clock_s=clock)
    bucket.take("::ffff:192.168.1.9")
    bucket.take("::ffff:192.168.1.10")
    with pytest.raises(Problem):
        bucket.take("192.168.1.9")


def test_no_more_addresses_are_remembered_than_there_is_room_for(clock):
    bucket = Allowance(1, 0.1, clock_s=clock)
    for number in range(ADDRESSES_AT_MOST + 500):
        bucket.take(f"2001:db8:{number:x}::1")
    assert len(bucket._left) == ADDRESSES_AT_MOST
