from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-train" / "bin" / "python"

pytestmark = pytest.mark.training


@pytest.fixture
def recipe():
    if not PYTHON.exists():
        pytest.skip("needs .venv-train, which models/train or scripts/test --all makes")
    missing = subprocess.run([PYTHON, "-c", "import torch, tensorflow"], capture_output=True, check=False).returncode
    if missing:
        pytest.skip("needs torch and tensorflow in .venv-train, which models/train or scripts/test --all installs")

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "models"), "OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "0"}
        return subprocess.run([PYTHON, "-m", "recipe", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    return run


def test_missing_data_are_told_in_one_message_with_the_fix(recipe, tmp_path):
    done = recipe("--quick", "--data", tmp_path / "nowhere", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert str(tmp_path / "nowhere") in done.stderr
    assert "--data DIR" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.timeout(600)
def test_a_quick_run_makes_both_models_with_manifests_and_cards(recipe, shared_data, tmp_path):
    done = recipe("--quick", "--data", shared_data, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    for name in ("face_detector", "emotion"):
        manifest = json.loads((tmp_path / f"{name}.json").read_text())
        assert manifest["bytes"] == (tmp_path / f"{name}.tflite").stat().st_size
        assert manifest["version"] in (tmp_path / f"{name}.md").read_text()
