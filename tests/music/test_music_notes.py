"""Small things that last over a restart."""

import json
import stat

import pytest

from moodify.errors import StoreBusy
from moodify.music.notes import LONGEST_FILE, NoteFile


@pytest.fixture
def path(tmp_path):
    return tmp_path / "notes.json"


def test_what_was_put_is_there_after_a_restart_and_the_owners_alone(path):
    NoteFile(path).put("volume", {"percent": 60})
    assert NoteFile(path).get("volume") == {"percent": 60}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_was_never_put_is_the_default(path):
    assert NoteFile(path).get("volume", 7) == 7
    assert not path.exists()


def test_none_forgets(path):
    notes = NoteFile(path)
    notes.put("volume", 60)
    notes.put("speaker", "Kitchen")
    notes.put("volume", None)
    assert json.loads(path.read_text()) == {"speaker": "Kitchen"}


def test_what_does_not_change_is_not_written(path):
    notes = NoteFile(path)
    notes.put("volume", None)
    assert not path.exists()
    notes.put("volume", 60)
    before = path.stat().st_ino
    notes.put("volume", 60)
    assert path.stat().st_ino == before


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"[" * 2000, b'"x"', b"\xff\xfe", b'{"volume": "' + b"x" * LONGEST_FILE + b'"}'])
def test_odd_contents_are_forgotten_and_said(path, content, caplog):
    path.write_bytes(content)
    notes = NoteFile(path)
    assert notes.get("volume") is None
    assert "makes no sense" in caplog.text
    notes.put("volume", 60)
    assert NoteFile(path).get("volume") == 60


def test_what_can_not_be_written_is_said_and_what_was_kept_stands(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    with pytest.raises(StoreBusy, match="can't be written"):
        NoteFile(blocked / "notes.json").put("volume", 60)
    notes = NoteFile(tmp_path / "notes.json")
    notes.put("volume", 60)
    with pytest.raises(StoreBusy, match="small things"):
        notes.put("volume", "x" * LONGEST_FILE)
    assert notes.get("volume") == NoteFile(tmp_path / "notes.json").get("volume") == 60
