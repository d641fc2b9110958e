from __future__ import annotations

import contextlib
import json
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moodify.errors import CannotWork
from moodify.hub import reading
from moodify.hub.absorbing import Absorber, Heard
from moodify.hub.port import Summary
from moodify.hub.ranges import Ranges
from moodify.hub.reading import ITEMS_AT_MOST, Answer, KeyOffer, Unreadable, read_answer, read_offer, read_state, read_summary, read_topic
from moodify.store.messages import batches


def message(seq, *items, epoch="e1"):
    return json.dumps({"v": 1, "epoch": epoch, "seq": seq, "items": [{"id": item} for item in items]}).encode()


def test_each_message_gives_its_events_once():
    absorber = Absorber()
    assert absorber.absorb("m-a", message(1, "x", "y")) == [Heard("m-a", "e1", 1, {"id": "x"}), Heard("m-a", "e1", 1, {"id": "y"})]
    assert absorber.absorb("m-a", message(1, "x", "y")) == []
    assert absorber.repeats == 1


def test_another_device_and_another_epoch_count_for_themselves():
    absorber = Absorber()
    for device, epoch in (("m-a", "e1"), ("m-b", "e1"), ("m-a", "e2")):
        assert len(absorber.absorb(device, message(1, "x", epoch=epoch))) == 1
    assert absorber.repeats == 0


def test_a_late_message_counts_and_its_repeat_does_not():
    absorber = Absorber()
    assert [len(absorber.absorb("m-a", message(seq, "x"))) for seq in (3, 4, 7, 5, 1, 2, 6)] == [1] * 7
    assert [len(absorber.absorb("m-a", message(seq, "x"))) for seq in range(1, 8)] == [0] * 7
    assert absorber.repeats == 7


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
        b'{"v": 1, "epoch": "e", "seq": true, "items": []}',
        b'{"v": 1, "epoch": "e", "seq": 1.0, "items": []}',
        b'{"v": 1, "epoch": "e", "seq": 9223372036854775808, "items": []}',
        b'{"v": 1, "epoch": "", "seq": 1, "items": []}',
        b'{"v": 1, "epoch": "e/f", "seq": 1, "items": []}',
        b'{"v": 1, "epoch": "e", "seq": 1, "items": [{"a": NaN}]}',
        b'{"v": 1, "epoch": "e", "seq": 1, "items": []}'.decode().encode("utf-16"),
        b'{"v": 1, "epoch": "e", "seq": 1, "items": []}' + b" " * reading.SUMMARY_BYTES,
    ],
)
def test_what_is_no_message_says_so(payload):
    with pytest.raises(CannotWork, match="m-a sent what is no"):
        Absorber().absorb("m-a", payload)


def test_a_summary_is_read_as_it_was_sent():
    assert read_summary("m-a", message(2**63 - 1, "x")) == Summary("m-a", "e1", 2**63 - 1, ({"id": "x"},))


@pytest.mark.parametrize(
    ("topic", "spoken"),
    [
        ("moodify/v1/m-a/up/ev", ("m-a", "ev")),
        ("moodify/v1/m-a/up/res/some-id", ("m-a", "res/some-id")),
        ("moodify/v1//up/ev", None),
        ("moodify/v1/m-a/down/ev", None),
        ("moodify/v1/m-a/b/up/ev", None),
        ("moodify/v2/m-a/up/ev", None),
        ("moodify/v1/m a/up/ev", None),
        ("moodify/v1/m-a/up/", None),
    ],
)
def test_a_topic_says_who_speaks(topic, spoken):
    assert read_topic(topic) == spoken


@pytest.mark.parametrize(
    ("payload", "answer"),
    [
        (b'{"status": "ok"}', Answer("ok")),
        (b'{"status": "ok", "data": {"clock": 1}}', Answer("ok", data={"clock": 1})),
        (b'{"status": "error", "error": "why"}', Answer("error", "why")),
        (json.dumps({"status": "error", "error": "w" * 5000}).encode(), Answer("error", "w" * 1000)),
    ],
)
def test_an_answer_is_read(payload, answer):
    assert read_answer("m-a", "some-id", payload) == answer


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b"{}",
        b'{"status": "fine"}',
        b'{"status": "error"}',
        b'{"status": "error", "error": null}',
        b'{"status": "ok", "data": []}',
        b'{"status": "ok", "data": {"a": "\\u0000"}}',
        b'{"status": "ok", "data": {"a": "\\ud800"}}',
        b'{"status": "ok", "data": {"\\udfff": 1}}',
        b'{"status": "ok", "data": {"a": 1e999}}',
        b'{"status": "ok", "data": {"a": ' + b"[" * 40 + b"]" * 40 + b"}}",
        b'{"status": "ok"}' + b" " * reading.OTHER_BYTES,
    ],
)
def test_what_is_no_answer_says_so(payload):
    with pytest.raises(CannotWork, match="m-a sent what is no"):
        read_answer("m-a", "some-id", payload)


def test_an_answer_to_what_is_no_id_is_none():
    with pytest.raises(CannotWork, match="answer to a command"):
        read_answer("m-a", "a/b", b'{"status": "ok"}')


def test_a_state_is_an_object():
    assert read_state("m-a", b'{"mood": "calm"}') == {"mood": "calm"}
    for payload in (b"[]", b"", b'"calm"', b'{"a": "\\u0000"}'):
        with pytest.raises(CannotWork, match="m-a sent what is no"):
            read_state("m-a", payload)


def test_an_offer_of_a_key_is_read():
    assert read_offer("m-a", b'{"kid": "k", "public_key": "p", "proof": "j", "consent": "c"}') == KeyOffer("k", "p", "j", "c")
    assert read_offer("m-a", b'{"kid": "k", "public_key": "p", "proof": "j"}').consent == ""
    for payload in (
        b"{}",
        b'{"kid": "k", "public_key": "p"}',
        b'{"kid": "a b", "public_key": "p", "proof": "j"}',
        b'{"kid": 1, "public_key": "p", "proof": "j"}',
        b'{"kid": "k", "public_key": "p", "proof": "j", "consent": 1}',
    ):
        with pytest.raises(CannotWork, match="offer of a key"):
            read_offer("m-a", payload)


json_values = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


@given(st.binary() | json_values.map(lambda value: json.dumps(value).encode()))
def test_nothing_that_a_device_sends_is_a_defect(payload):
    for read in (read_summary, read_state, read_offer, lambda device, payload: read_answer(device, "id", payload)):
        with contextlib.suppress(Unreadable):
            read("m-a", payload)


@given(st.lists(st.integers(1, 40)))
def test_ranges_are_a_set_that_costs_one_pair_for_each_run(numbers):
    ranges, seen = Ranges(), set()
    for number in numbers:
        assert ranges.add(number) == (number not in seen)
        seen.add(number)
    assert list(zip(ranges._starts, ranges._ends, strict=True)) == [
        (first, next(last for last in range(first, 42) if last + 1 not in seen)) for first in sorted(seen) if first - 1 not in seen
    ]


def test_a_summary_has_so_many_events_and_an_honest_one_never_as_many():
    smallest = json.dumps({"id": str(uuid.uuid4()), "kind": "m", "at": "2026-03-01T12:00:00+00:00", "data": {}}, separators=(",", ":"))
    honest = max(len(json.loads(batch)) for batch in batches([smallest] * 3000))
    assert honest <= ITEMS_AT_MOST * 0.7

    def payload(count):
        return json.dumps({"v": 1, "epoch": "e", "seq": 1, "items": [{}] * count}).encode()

    assert len(read_summary("m-a", payload(ITEMS_AT_MOST)).items) == ITEMS_AT_MOST
    with pytest.raises(CannotWork, match="at most 1000 events"):
        read_summary("m-a", payload(ITEMS_AT_MOST + 1))
