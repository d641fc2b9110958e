"""How much others may make a device do."""

from moodify.cloud.restraint import Bucket, Complaints


class Clock:
    def __init__(self):
        self.now_s = 100.0

    def __call__(self):
        return self.now_s


def taken(bucket, count=100):
    return sum(bucket.take() for _ in range(count))


def test_a_bucket_gives_its_burst_and_then_so_many_a_minute_and_never_more_than_its_burst():
    clock = Clock()
    bucket = Bucket(30, 10, clock=clock)
    assert taken(bucket) == 10
    clock.now_s += 6
    assert taken(bucket) == 3
    clock.now_s += 3600
    assert taken(bucket) == 10


def test_a_reason_is_said_once_in_a_while_and_a_few_in_all():
    clock = Clock()
    complaints = Complaints(at_most=2, window_s=60, clock=clock)
    assert [complaints.say(reason) for reason in ("a", "a", "b", "c", "a")] == [True, False, True, False, False]
    assert (complaints.quiet(), complaints.quiet()) == (3, 0)
    clock.now_s += 61
    assert complaints.say("c")
