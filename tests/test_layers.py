"""The rooms: imports run down only."""

import subprocess
import sys
import tomllib


def test_imports_run_down_only_and_rooms_do_not_know_one_another(project_root):
    linter = subprocess.run([f"{sys.prefix}/bin/lint-imports", "--no-cache"], cwd=project_root, capture_output=True, text=True, check=False)
    assert linter.returncode == 0, linter.stdout + linter.stderr


def test_every_package_is_in_the_wheel(project_root):
    with (project_root / "pyproject.toml").open("rb") as file:
        listed = set(tomllib.load(file)["tool"]["setuptools"]["packages"]) - {"moodify.models"}
    source = project_root / "device"
    found = {".".join(init.parent.relative_to(source).parts) for init in source.rglob("__init__.py")}
    assert listed == found


def test_start_up_imports_no_heavy_vendor(project_root):
    code = "import sys, moodify.cli.main; print(sorted({'cv2', 'numpy', 'spotipy', 'ai_edge_litert', 'paho', 'fastapi', 'gpiozero'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
