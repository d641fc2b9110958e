"""A count of crashes that is damaged is begun anew: it must not be what the next crash is of."""

import pytest

from moodify.system.crashes import Crashes, count_of


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 100_000,
        b'{"boot":"b","on":false,"crashes_s":[1' + b"0" * 400 + b'],"why":null}',
        b'{"boot":"b","on":false,"crashes_s":[1e999],"why":null}',
        b'{"boot":"b","on":false,"crashes_s":[1],"why":{}}',
        b'{"boot":"b","on":false,"crashes_s":5,"why":null}',
    ],
)
def test_a_damaged_count_begins_anew(tmp_path, content):
    path = tmp_path / "crashes.json"
    path.write_bytes(content)
    assert count_of(path) == 0
    crashes = Crashes(path, boot="b", now_s=lambda: 50.0)
    with crashes:
        assert (crashes.count, crashes.why) == (0, None)
