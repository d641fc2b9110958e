"""What all fuzzing shares: how many examples, odd values, and what may come of them.

``MOODIFY_FUZZ`` says how many examples each test makes up, at random (``scripts/fuzz``); without it they are few, and the same in every run.
"""

import json
import os
from datetime import UTC, datetime
from random import Random

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from moodify.errors import MoodifyError

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
_EXAMPLES = int(os.environ.get("MOODIFY_FUZZ", "0"))


def fuzzed(examples):
    """Return hypothesis's settings: that many examples, where nobody asks for more. What takes too long is ended by the test's own time limit."""
    if _EXAMPLES:
        return settings(max_examples=_EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
    return settings(max_examples=examples, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))


def ours(act, *arguments, **named):
    """Return what ``act`` returns, or the house's error where it raises one, which must have something to say; any other is a defect."""
    try:
        return act(*arguments, **named)
    except MoodifyError as error:
        told = error
    assert str(told).strip()
    assert "Traceback" not in str(told)
    return told


#: Text that trips what reads it: half of a pair, no letters, controls, paths, numbers that are none.
texts = st.sampled_from(
    ["", "\0", "\ud800", "\u202e", "\x1b[2J", "a" * 5000, "NaN", "Infinity", "-0", "1e999", "../..", "~x", "null", "moodify/v1/+/#", "%s%n", "'; --"]
) | st.text(max_size=30)
numbers = st.sampled_from([0, -1, 1, True, 2**31, 2**53, 2**63, 2**64, -(2**63) - 1, 10**400, 0.1, -0.0, 1e308, float("inf"), float("nan")]) | st.integers() | st.floats()
dates = st.sampled_from(
    [
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-12:00",
        "2026-11-21",
        "2026-11-21T12:00:00",
        "2026-11-21T12:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-W47-6",
        "12:00",
        "20261121T12Z",
    ]
)
leaves = st.none() | st.booleans() | numbers | texts | dates


def values(*keys):
    """Anything that JSON can say and a little more, with objects in which ``keys`` are likely."""
    names = st.sampled_from(keys) | texts if keys else texts
    return st.recursive(leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4), max_leaves=5)


def changed(good):
    """A JSON value like ``good`` in which one or a few places hold something else."""
    paths = list(_paths(good))

    @st.composite
    def draw_changed(draw):
        value = json.loads(json.dumps(good))
        value = _set(value, draw(st.sampled_from(paths)), draw(st.just(...) | leaves | st.lists(leaves, max_size=2) | st.dictionaries(texts, leaves, max_size=2)))
        return _set(value, draw(st.sampled_from(paths)), draw(st.just(...) | leaves)) if draw(st.booleans()) else value

    return draw_changed()


def _paths(value, path=()):
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _paths(inner, (*path, key))
    elif isinstance(value, list):
        for place, inner in enumerate(value[:20]):
            yield from _paths(inner, (*path, place))


def _set(value, path, new):
    """Put ``new`` at ``path``, or take away what is there where it is an ellipsis; what another change has taken away is left."""
    if not path:
        return None if new is ... else new
    key, *rest = path
    if (isinstance(value, dict) and key in value) or (isinstance(value, list) and isinstance(key, int) and key < len(value)):
        if not rest and new is ...:
            del value[key]
        else:
            value[key] = _set(value[key], rest, new)
    return value


def as_bytes(value):
    """The value as JSON, with what JSON does not have, and halves of pairs as the bytes that they would be."""
    return json.dumps(value, ensure_ascii=False, default=str).encode(errors="surrogatepass")


#: What no change of a value makes: brackets and digits without end, halves, other encodings.
odd_bytes = st.sampled_from(
    [b"", b"[" * 3000, b'{"a":' * 3000, b"[" * 980 + b"]" * 980, b"1" * 5000, b'{"id":' + b"9" * 4200 + b"}", b"\xff\xfe{\0}\0", b"\xef\xbb\xbf{}", b"{}\0", b'"\\ud800"', b"\xff"]
) | st.binary(max_size=200)


def payloads(*good):
    """Bytes that may stand where JSON is expected, near ``good`` and far from it."""
    return odd_bytes | values().map(as_bytes) | st.one_of([changed(value).map(as_bytes) for value in good]) | st.one_of([damaged(as_bytes(value)) for value in good])


def damaged(content):
    """``content`` cut, with bits tipped, with parts left out, doubled or overwritten."""
    return st.integers(0, 2**32).map(lambda seed: _damaged(content, Random(seed)))


def _damaged(content, random):
    data = bytearray(content)
    for _ in range(random.randint(1, 4)):
        at, size = random.randrange(len(data) + 1), random.randint(1, 64)
        how = random.choice(["tip", "tip", "cut", "leave out", "double", "overwrite"])
        match how:
            case "tip" if at < len(data):
                data[at] ^= 1 << random.randrange(8)
            case "cut":
                del data[at:]
            case "leave out":
                del data[at : at + size]
            case "double":
                data[at:at] = data[at : at + size]
            case "overwrite":
                data[at : at + size] = random.choice([b"\0", b"\xff", b"\x7f"]) * size
    return bytes(data)
