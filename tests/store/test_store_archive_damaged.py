"""Backups packed as no Moodify packs them, with damaged data."""

import json
import zipfile

import pytest

from damaged_zip import damaged_zip
from moodify.errors import PersonMustAct
from moodify.store import archive


@pytest.mark.parametrize("packing", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2, zipfile.ZIP_DEFLATED])
def test_damage_under_any_packing_is_told_as_damage(tmp_path, packing):
    file = tmp_path / "backup"
    damaged_zip(file, "moodify.json", packing)
    with pytest.raises(PersonMustAct, match="is damaged"):
        archive.read_note(file)


def test_a_size_without_end_is_damage(tmp_path):
    file = tmp_path / "backup"
    with zipfile.ZipFile(file, "w") as packed:
        note = {"program": "moodify", "format": 1, "files": {"one": {"bytes": "SIZE", "sha256": ""}}}
        packed.writestr("moodify.json", json.dumps(note).replace('"SIZE"', "1e999"))
    with pytest.raises(PersonMustAct, match="is damaged"):
        archive.read_note(file)
