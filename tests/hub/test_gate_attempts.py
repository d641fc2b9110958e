"""How many refused sign-ins there may be, and how often they are told."""

import pytest

from moodify.hub.gate.attempts import IN_VAIN_PER_SECOND, Attempts
from moodify.hub.gate.refusals import Refusal

DEVICE, OTHER = "m-abcdefghijklmnop", "m-ponmlkjihgfedcba"


def used_up(attempts, address, device=None):
    """Count refusals until no attempt is left; return how many there were."""
    count = 0
    while attempts.left(address, device):
        attempts.refused(address, device)
        count += 1
    return count


def test_an_address_has_so_many_and_another_has_its_own():
    attempts = Attempts(6)
    assert used_up(attempts, "192.0.2.1") == 6
    assert attempts.left("192.0.2.2", None)


def test_so_many_bad_tokens_a_second_are_looked_at_and_good_ones_do_not_count():
    attempts = Attempts(6)
    used_up(attempts, "192.0.2.1", DEVICE)
    looks = 0
    while attempts.worth_a_look("192.0.2.1"):
        attempts.looked_at_in_vain("192.0.2.1")
        looks += 1
    # A second may have ended meanwhile.
    assert looks >= IN_VAIN_PER_SECOND
    assert attempts.worth_a_look("192.0.2.2")


def test_a_device_uses_up_a_part_of_its_address_s_and_none_elsewhere():
    attempts = Attempts(8)
    assert used_up(attempts, "192.0.2.1", DEVICE) == 2
    assert attempts.left("192.0.2.1", OTHER)
    assert attempts.left("192.0.2.2", DEVICE)


@pytest.mark.parametrize(("other", "left"), [("2001:db8::ffff", False), ("2001:db8::1%eth0", False), ("2001:db8:0:1::1", True), ("", True)])
def test_a_network_of_ipv6_counts_as_one_address(other, left):
    attempts = Attempts(4)
    used_up(attempts, "2001:db8::1")
    assert attempts.left(other, None) is left


def test_bad_tokens_from_one_address_shut_out_no_other_where_the_hub_listens_on_ipv6_too():
    attempts = Attempts(6)
    while attempts.worth_a_look("::ffff:192.0.2.1"):
        attempts.looked_at_in_vain("::ffff:192.0.2.1")
    assert attempts.worth_a_look("::ffff:192.0.2.2")


def test_the_same_refusal_of_the_same_device_is_told_once_and_another_anew(caplog):
    attempts = Attempts(4)
    for refusal, device in [
        (Refusal.EXPIRED, DEVICE),
        (Refusal.EXPIRED, DEVICE),
        (Refusal.AUDIENCE, DEVICE),
        (Refusal.EXPIRED, OTHER),
        (Refusal.NO_TOKEN, None),
        (Refusal.NO_TOKEN, None),
    ]:
        attempts.log(refusal, "192.0.2.1", device)
    assert len(caplog.records) == 4


def test_every_refusal_says_something_else():
    assert len({one.words for one in Refusal}) == len({one.counter for one in Refusal}) == len(Refusal)
