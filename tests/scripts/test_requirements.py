"""The lists of pinned packages, and what no file of the project may name."""

import re
import tomllib

import pytest

LISTS = ("audit", "base", "browser", "build", "check", "hub", "pi", "plots", "sample", "systemd", "test", "tflite")
#: The list of the second TFLite runtime, which a test compares with the first; scripts/lock says what is in it.
NO_EXTRA = {"tflite"}


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
    assert set(project["optional-dependencies"]) == set(LISTS) - {"base"} - NO_EXTRA


@pytest.mark.parametrize("name", LISTS)
def test_every_package_is_pinned_and_hashed(project_root, name):
    entries = pins(project_root, name)
    assert entries
    for line, hashes in entries:
        assert re.match(r"[a-z0-9._-]+(\[[a-z,]+\])?==\S+ ", line), line
        assert hashes, line


@pytest.mark.parametrize("name", sorted(set(LISTS) - NO_EXTRA))
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


@pytest.mark.parametrize("name", LISTS)
def test_a_list_says_what_is_wanted_and_never_where_from(project_root, name):
    text = (project_root / f"requirements/{name}.txt").read_text()
    assert "://" not in text
    assert set(re.findall(r"(?:^|\s)--[a-z-]+", text)) <= {" --hash", "\n--hash"}


def test_no_script_says_where_packages_come_from(project_root):
    for script in [*(project_root / "scripts").iterdir(), project_root / ".ci/run", project_root / "models/train"]:
        if script.is_file():
            assert not re.search(r"(?<!no-emit)-index.url|--find.links|://\S+\.(?:whl|deb|tgz)", script.read_text("utf-8")), script


def told(project_root):
    """Return the text of what is printed or read as advice, by file."""
    files = [project_root / "README.md"]
    for folder, kinds in (("docs", "*.md"), ("device", "*.py"), ("firmware_config", "*"), ("scripts", "*")):
        files += [file for file in (project_root / folder).rglob(kinds) if file.is_file() and file.suffix != ".pyc"]
    return {file: file.read_text("utf-8") for file in files}


def test_no_advice_installs_the_project_by_its_name_which_is_anothers_elsewhere(project_root):
    advice = re.compile(r"\bmoodify\\*\[\w|pip install ['\"]?moodify\b", re.IGNORECASE)
    assert advice.search("pip install 'moodify[plots]'")
    assert [str(file) for file, text in told(project_root).items() if advice.search(text)] == []


def test_advice_asks_for_the_versions_that_pyproject_asks_for(project_root, project):
    wanted = {each.partition(" ;")[0] for extra in project["optional-dependencies"].values() for each in extra}
    advised = {each for text in told(project_root).values() for line in re.findall(r"pip install ('[^\n]*)", text) for each in re.findall(r"'([a-z-]+[<>=][^']*)'", line)}
    assert {"matplotlib>=3.9,<4", "scikit-image>=0.24,<1"} <= advised <= wanted
