"""The models: a file that is corrupted, missing, or another than its manifest says."""

from __future__ import annotations

import json
import re
import shutil
from functools import partial
from typing import TYPE_CHECKING

from faults_week.fault import Fault, Group, Outcome
from faults_week.house import House
from moodify.vision.models import CLASSIFIER_MANIFEST, DETECTOR_MANIFEST, manifests_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class WithModels(House):
    """A house with models of its own, which are those that ship."""

    def __init__(self, folder: Path) -> None:
        """Copy them."""
        self.models = folder / "models"
        shutil.copytree(manifests_of()[0].parent, self.models, ignore=lambda _, names: [name for name in names if not name.endswith((".json", ".tflite"))])
        super().__init__(folder, toml=f'[vision]\nmodels = "{self.models}"\n')


def _spoilt(house: WithModels, spoil: Callable[[Path], object]) -> Outcome:
    """Spoil them, and let the power go: the appliance must not judge anybody by what is not a model."""
    house.kill()
    whole = house.models.with_name("whole")
    shutil.copytree(house.models, whole)
    spoil(house.models)
    house.start()
    code = house.ended()
    assert code > 0, f"it ended with {code}"
    seen = _words(house.appliance.log)
    # As a person does who reads that.
    shutil.rmtree(house.models)
    whole.rename(house.models)
    house.start()
    return Outcome(seen, house.time_until_well(), "the owner, as it says; it looks at nobody till then")


def _words(log: str) -> str:
    """Return the last line of a log, without where the files are."""
    return re.sub(r"/\S*/", "", log.strip().splitlines()[-1])


def _file_of(models: Path, manifest: str) -> Path:
    return models / str(json.loads((models / manifest).read_text())["file"])


def _flip(models: Path, manifest: str) -> None:
    file = _file_of(models, manifest)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0x10
    file.write_bytes(content)


def _cut(models: Path) -> None:
    file = _file_of(models, DETECTOR_MANIFEST)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def _exchange(models: Path) -> None:
    manifest = models / CLASSIFIER_MANIFEST
    said = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(said | {"sha256": "0" * 64}))


GROUP = Group(
    "models",
    WithModels,
    (
        Fault("one bit of the detector flipped", partial(_spoilt, spoil=partial(_flip, manifest=DETECTOR_MANIFEST))),
        Fault("one bit of the classifier flipped", partial(_spoilt, spoil=partial(_flip, manifest=CLASSIFIER_MANIFEST))),
        Fault("cut in half", partial(_spoilt, spoil=_cut)),
        Fault("missing", partial(_spoilt, spoil=lambda models: _file_of(models, CLASSIFIER_MANIFEST).unlink())),
        Fault("manifest missing", partial(_spoilt, spoil=lambda models: (models / DETECTOR_MANIFEST).unlink())),
        Fault("another hash than the manifest's", partial(_spoilt, spoil=_exchange)),
    ),
)
