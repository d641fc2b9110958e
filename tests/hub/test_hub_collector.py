from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moodify.errors import CannotWork
from moodify.hub.collector import Collector, Heard
from moodify.hub.ranges import Ranges


def message(seq, *items, epoch="e1"):
    return json.dumps({"v": 1, "epoch": epoch, "seq": seq, "items": [{"id": item} for item in items]}).encode()


def test_each_message_gives_its_events_once():
    collector = Collector()
    assert collector.absorb("m-a", message(1, "x", "y")) == [Heard("m-a", "e1", 1, {"id": "x"}), Heard("m-a", "e1", 1, {"id": "y"})]
    assert collector.absorb("m-a", message(1, "x", "y")) == []
    assert collector.repeats == 1


def test_another_device_and_another_epoch_count_for_themselves():
    collector = Collector()
    for device, epoch in (("m-a", "e1"), ("m-b", "e1"), ("m-a", "e2")):
        assert len(collector.absorb(device, message(1, "x", epoch=epoch))) == 1
    assert collector.repeats == 0


def test_a_late_message_counts_and_its_repeat_does_not():
    collector = Collector()
    assert [len(collector.absorb("m-a", message(seq, "x"))) for seq in (3, 4, 7, 5, 1, 2, 6)] == [1] * 7
    assert [len(collector.absorb("m-a", message(seq, "x"))) for seq in range(1, 8)] == [0] * 7
    assert collector.repeats == 7


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff",
        b"[]",
        b"[" * 100_000,
        b"{}",
        b'{"v": 2, "epoch": "e", "seq": 1, "items": []}',
        b'{"v": 1, "epoch": "e", "seq": 0, "items": []}',
        b'{"v": 1, "epoch": "e", "seq": "1", "items": []}',
        b'{"v": 1, "epoch": "e", "seq": 1, "items": [1]}',
        b'{"v": 1, "epoch": "e", "seq": 1, "items": {"a": 1}}',
    ],
)
def test_what_is_no_message_says_so(payload):
    with pytest.raises(CannotWork, match="m-a sent what is no"):
        Collector().absorb("m-a", payload)


@given(st.lists(st.integers(1, 40)))
def test_ranges_are_a_set_that_costs_one_pair_for_each_run(numbers):
    ranges, seen = Ranges(), set()
    for number in numbers:
        assert ranges.add(number) == (number not in seen)
        seen.add(number)
    assert list(zip(ranges._starts, ranges._ends, strict=True)) == [
        (first, next(last for last in range(first, 42) if last + 1 not in seen)) for first in sorted(seen) if first - 1 not in seen
    ]
