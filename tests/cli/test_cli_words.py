"""What README and docs/commands.md must speak of: every command, its options, and every section of the configuration."""

import re

import pytest
import typer
from pydantic import BaseModel

from appliance import moodify
from moodify.cli.main import app
from moodify.config.model import Config


def commands(command, name=""):
    """Yield the name and options of each command below one."""
    if inner := getattr(command, "commands", None):
        for word, each in inner.items():
            yield from commands(each, f"{name} {word}".strip())
    else:
        yield name, [option for parameter in command.params for option in parameter.opts if option.startswith("--")]


COMMANDS = dict(commands(typer.main.get_command(app)))


@pytest.fixture(scope="module")
def readme(project_root):
    return (project_root / "README.md").read_text("utf-8")


@pytest.fixture(scope="module")
def described(project_root):
    return (project_root / "docs" / "commands.md").read_text("utf-8")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_speaks_of_every_command(described, name):
    assert re.search(rf"`moodify {name}\b", described)


@pytest.mark.parametrize(("name", "option"), [(name, option) for name in ("run", "scan") for option in COMMANDS[name] if option != "--config"])
def test_the_list_of_commands_speaks_of_every_option_of_run_and_scan(described, name, option):
    (row,) = [line for line in described.splitlines() if line.startswith(f"| `moodify {name}")]
    assert f"`{option}" in row


@pytest.mark.parametrize("section", [name for name, field in Config.model_fields.items() if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)])
def test_the_readme_speaks_of_every_section_of_the_configuration(readme, section):
    assert f"[{section}]" in readme


def test_no_command_in_readme_and_list_is_made_up(readme, described):
    for text in (readme, described):
        named = set(re.findall(r"`moodify ([a-z]+)", text))
        assert named
        assert named <= {name.split()[0] for name in COMMANDS}


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_every_command_has_help_and_says_what_its_options_mean(tmp_path, name):
    done = moodify(tmp_path, *name.split(), "--help", env={"PATH": "", "HOME": str(tmp_path), "TERMINAL_WIDTH": "300", "COLUMNS": "300"})
    assert (done.returncode, done.stderr) == (0, "")
    assert "<bool>" not in done.stdout
    for option in COMMANDS.get(name, []):
        assert re.search(rf"{option}\b.*\w+ \w+ \w+", done.stdout), option


def test_the_version_is_told(tmp_path):
    done = moodify(tmp_path, "--version")
    assert (done.returncode, bool(re.fullmatch(r"moodify \d+\.\d+\.\d+\n", done.stdout))) == (0, True)


def test_help_is_quick_because_no_vendor_is_loaded(tmp_path):
    done = moodify(tmp_path, "--help", env={"PATH": "", "HOME": str(tmp_path), "PYTHONPROFILEIMPORTTIME": "1"})
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "typer" in loaded
    assert loaded.isdisjoint({"cv2", "numpy", "spotipy", "ai_edge_litert", "paho", "gpiozero", "fastapi", "uvicorn", "sqlite_utils"})
