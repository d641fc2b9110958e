"""The wheel, installed elsewhere, finds what it carries."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile

import cv2
import numpy as np
import pytest

from appliance import environment_of
from moodify.camera.sample import ASTRONAUT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(project_root, tmp_path_factory):
    """The wheel of a copy of the sources: building leaves nothing in the checkout."""
    sources, made = tmp_path_factory.mktemp("sources") / "moodify", tmp_path_factory.mktemp("wheel")
    unwanted = shutil.ignore_patterns("__pycache__", "*.egg-info", ".work", "recipe")
    for name in ("device", "models"):
        shutil.copytree(project_root / name, sources / name, ignore=unwanted)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(project_root / name, sources)
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", made, sources], check=True, capture_output=True
    )
    return next(made.glob("moodify-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The Python of an environment that has the wheel, and sees the dependencies but not this checkout."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=True)
    site = folder / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    # A folder named in a .pth file is searched, but its own .pth files, such as an editable install's, are not read.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin" / "python", site


def test_the_wheel_carries_models_manifests_and_the_page(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {f"moodify/models/{name}" for name in ("face_detector.tflite", "face_detector.json", "emotion.tflite", "emotion.json")} <= names
    assert {"moodify/py.typed", "moodify/web/static/index.html", "moodify/music/spotify/catalogue.json"} <= names
    assert not [name for name in names if name.startswith(("moodify/models/recipe", "tests/"))]


def test_scan_works_from_an_installed_wheel(installed, tmp_path):
    python, site = installed
    cv2.imwrite(str(tmp_path / "nobody.png"), np.full((120, 160, 3), 128, np.uint8))
    shutil.copy(ASTRONAUT.find(), tmp_path / "astronaut.png")
    environment = environment_of(tmp_path)
    where = subprocess.run(
        [python, "-c", "import moodify; from importlib.resources import files; print(moodify.__file__); print(files('moodify.models'))"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert [os.path.commonpath([line, site]) for line in where] == [str(site)] * 2
    done = subprocess.run([python, "-m", "moodify", "scan", "--json", "nobody.png", "astronaut.png"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    nobody, astronaut = json.loads(done.stdout)["pictures"]
    assert nobody["faces"] == []
    # What else the detector takes for a face there (a badge on the suit, at times) it is far less sure of.
    face, *others = sorted(astronaut["faces"], key=lambda face: -face["confidence"])
    assert all(other["confidence"] < face["confidence"] - 0.2 for other in others)
    left, top, right, bottom = face["box"]
    x, y, _ = ASTRONAUT.face
    assert (face["emotion"], left < x < right, top < y < bottom) == ("happiness", True, True)


def test_the_installed_wheel_judges_the_same_as_the_checkout(installed, tmp_path, shared_data):
    pictures = sorted((shared_data / "detection" / "faces").glob("*.jpg"))[:100:10]
    answers = [
        subprocess.run([python, "-m", "moodify", "scan", "--json", *pictures], cwd=tmp_path, env=environment_of(tmp_path), capture_output=True, text=True, check=True).stdout
        for python in (installed[0], sys.executable)
    ]
    assert [picture for picture in json.loads(answers[0])["pictures"] if picture["faces"]]
    assert answers[0] == answers[1]
