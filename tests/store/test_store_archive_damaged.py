"""Backups packed as no Moodify packs them, with damaged data."""

import json
import zipfile

import pytest

from moodify.errors import PersonMustAct
from moodify.store import archive


@pytest.mark.parametrize("packing", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2, zipfile.ZIP_DEFLATED])
def test_damage_under_any_packing_is_told_as_damage(tmp_path, packing):
    file = tmp_path / "backup"
    with zipfile.ZipFile(file, "w", packing) as packed:
        packed.writestr("moodify.json", b"x" * 1000)
        begin = packed.getinfo("moodify.json").header_offset + 30 + len("moodify.json")
    content = bytearray(file.read_bytes())
    content[begin + 4 : begin + 24] = b"\xa5" * 20
    file.write_bytes(content)
    with pytest.raises(PersonMustAct, match="is damaged"):
        archive.read_note(file)


def test_a_size_without_end_is_damage(tmp_path):
    file = tmp_path / "backup"
    with zipfile.ZipFile(file, "w") as packed:
        note = {"program": "moodify", "format": 1, "files": {"one": {"bytes": "SIZE", "sha256": ""}}}
        packed.writestr("moodify.json", json.dumps(note).replace('"SIZE"', "1e999"))
    with pytest.raises(PersonMustAct, match="is damaged"):
        archive.read_note(file)
