"""Backups of a hub that no hub has written, and an address that none has."""

import zipfile

import pytest

from damaged_zip import damaged_zip
from moodify.errors import PersonMustAct
from moodify.hub.backup import restore
from moodify.hub.folder import HubFolder


@pytest.mark.parametrize("packing", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_damage_under_any_packing_is_told_as_damage(tmp_path, packing):
    file = tmp_path / "hub.backup"
    damaged_zip(file, "hub.json", packing)
    with pytest.raises(PersonMustAct, match="no whole backup"):
        restore(HubFolder(tmp_path / "hub"), file)


@pytest.mark.parametrize("content", ["[" * 100_000, "[]", "5", "{"])
def test_an_address_that_is_damaged_says_what_to_do(tmp_path, content):
    folder = HubFolder(tmp_path / "hub")
    folder.make()
    folder.address.write_text(content)
    with pytest.raises(PersonMustAct, match="restart"):
        folder.where()
