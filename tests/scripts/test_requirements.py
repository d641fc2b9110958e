"""The lists of pinned packages, and what no file of the project may name."""

import re
import subprocess
import tomllib

import pytest

LISTS = ("base", "build", "check", "pi", "sample", "systemd", "test")
#: Registries, mirrors and places of one machine. Written apart, so that this file does not name them.
FORBIDDEN = re.compile(
    "|".join(
        (
            r"pypi\." + "org",
            "pythonhosted" + r"\.org",
            "artifact" + r"ory",
            "--(?:extra-)?index-" + r"url[ =]",
            "/opt/" + "pypi",
            "/work/" + "(?:main|shared)",
            r"find-" + r"links[ =]",
        )
    )
)


def normalised(requirement):
    return re.sub(r"[-_.]+", "-", re.match(r"[A-Za-z0-9._-]+", requirement)[0]).lower()


@pytest.fixture(scope="session")
def project(project_root):
    with (project_root / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)["project"]


def pins(project_root, name):
    """Return the entries of a list: the requirement's line and the number of its hashes."""
    text = (project_root / f"requirements/{name}.txt").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return [(line, line.count("--hash=sha256:")) for line in lines]


def test_there_is_a_list_for_every_extra(project_root, project):
    assert {file.stem for file in (project_root / "requirements").glob("*.txt")} == set(LISTS)
    assert set(project["optional-dependencies"]) == set(LISTS) - {"base"}


@pytest.mark.parametrize("name", LISTS)
def test_every_package_is_pinned_and_hashed(project_root, name):
    entries = pins(project_root, name)
    assert entries
    for line, hashes in entries:
        assert re.match(r"[a-z0-9._-]+(\[[a-z,]+\])?==\S+ ", line), line
        assert hashes, line


@pytest.mark.parametrize("name", LISTS)
def test_every_list_covers_what_pyproject_asks_for(project_root, project, name):
    wanted = project["dependencies"] if name == "base" else project["optional-dependencies"][name]
    assert {normalised(each) for each in wanted} <= {normalised(line) for line, _ in pins(project_root, name)}


@pytest.mark.parametrize("name", sorted(set(LISTS) - {"base", "sample"}))
def test_no_list_pins_what_another_pins_otherwise(project_root, name):
    def versions(of):
        found = {}
        for line, _ in pins(project_root, of):
            found.setdefault(normalised(line), set()).add(re.search(r"==(\S+)", line)[1])
        return found

    base = versions("base")
    for package, pinned in versions(name).items():
        assert pinned <= base.get(package, pinned), package


def test_no_file_names_a_registry_or_a_place_of_one_machine(project_root):
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=project_root, capture_output=True, text=True, check=False)
    if tracked.returncode:
        pytest.skip("this is no git checkout")
    guilty = []
    for name in filter(None, tracked.stdout.split("\0")):
        file = project_root / name
        if file.is_file() and file.suffix not in {".tflite", ".png"}:
            guilty += [f"{name}: {found[0]}" for found in FORBIDDEN.finditer(file.read_text("utf-8"))]
    assert not guilty
