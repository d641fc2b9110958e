"""What the link keeps in files, damaged."""

import json
from datetime import UTC, datetime

import pytest

from moodify.cloud import enrolment, rotation
from moodify.cloud.certificates import Certificate
from moodify.errors import PersonMustAct
from tls import make_certificate


@pytest.mark.parametrize("changed", [{"enrolled": "0001-01-01T00:00:00+14:00"}, {"enrolled": "9999-12-31T23:59:59-12:00"}, {"port": True}, {"port": 1e999}])
def test_an_enrolment_with_which_nobody_could_reckon_is_damaged(tmp_path, changed):
    certificate = Certificate.from_pem(make_certificate(tmp_path / "hub")[0].read_text())
    enrolment.save(tmp_path, enrolment.Enrolment("hub.home", 8883, certificate, "hub", datetime(2026, 11, 21, tzinfo=UTC)))
    path = tmp_path / enrolment.FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))
    with pytest.raises(PersonMustAct, match="is damaged"):
        enrolment.load(tmp_path)


def test_a_note_of_a_key_change_with_brackets_without_end_is_not_read(tmp_path):
    key = tmp_path / "device.key"
    (tmp_path / "device.key.refused").write_text("[" * 100_000)
    assert rotation.setback(key) is None
