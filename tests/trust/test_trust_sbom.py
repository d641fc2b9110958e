"""The parts list names what is installed, each part with who needs it, and says nowhere where it comes from."""

import json
import os
import re
import runpy
import subprocess

import pytest


@pytest.fixture(scope="module")
def sbom(project_root, tmp_path_factory):
    file = tmp_path_factory.mktemp("sbom") / "parts.json"
    subprocess.run([project_root / "scripts/sbom", file], check=True, timeout=60, env=os.environ | {"SOURCE_DATE_EPOCH": "1767225600"})
    return json.loads(file.read_text("utf-8"))


@pytest.fixture(scope="module")
def sbom_script(project_root):
    return runpy.run_path(str(project_root / "scripts/sbom.py"))


def test_every_package_that_is_installed_is_a_part(sbom, project_root):
    pinned = set()
    for name in ("base", "hub"):
        pinned |= set(re.findall(r"^([a-z0-9._-]+)(?:\[[a-z,]+\])?==([^ ;\\]+)", (project_root / f"requirements/{name}.txt").read_text("utf-8"), re.MULTILINE))
    assert len(pinned) > 50
    assert {(part["name"], part["version"]) for part in sbom["components"] if part["purl" if "purl" in part else "name"].startswith("pkg:pypi/")} == pinned


def test_models_and_debians_packages_are_parts_too(sbom, project_root):
    models = {part["name"]: part["hashes"][0]["content"] for part in sbom["components"] if part["type"] == "machine-learning-model"}
    assert models == {name: json.loads((project_root / f"models/{name}.json").read_text("utf-8"))["sha256"] for name in ("emotion", "face_detector")}
    assert {"pkg:deb/debian/mosquitto", "pkg:deb/debian/python3-picamera2"} <= {part["bom-ref"] for part in sbom["components"]}


def test_each_part_is_needed_by_another_or_by_moodify(sbom):
    refs = {part["bom-ref"] for part in sbom["components"]}
    assert len(refs) == len(sbom["components"])
    itself = sbom["metadata"]["component"]["bom-ref"]
    needs = {entry["ref"]: set(entry["dependsOn"]) for entry in sbom["dependencies"]}
    assert set().union(*needs.values()) <= refs
    reached, ahead = set(), {itself}
    while ahead:
        ref = ahead.pop()
        reached.add(ref)
        ahead |= needs.get(ref, set()) - reached
    assert refs - reached == set()


def test_it_has_what_a_parts_list_must_have(sbom, project_root):
    assert (sbom["bomFormat"], sbom["specVersion"]) == ("CycloneDX", "1.6")
    assert sbom["metadata"]["timestamp"] == "2026-01-01T00:00:00+00:00"
    assert sbom["metadata"]["authors"][0]["name"]
    assert f'version = "{sbom["metadata"]["component"]["version"]}"' in (project_root / "pyproject.toml").read_text("utf-8")
    for part in sbom["components"]:
        if part["type"] == "library":
            assert part["properties"], part["name"]


def test_no_part_says_where_it_comes_from(sbom):
    assert "://" not in json.dumps(sbom)


def test_the_same_parts_have_the_same_number(sbom, project_root):
    again = subprocess.run([project_root / "scripts/sbom", "-"], check=True, timeout=60, stdout=subprocess.PIPE, text=True, env=os.environ | {"SOURCE_DATE_EPOCH": "1767225600"})
    assert json.loads(again.stdout) == sbom


def test_a_list_is_read_with_markers_hashes_and_who_asks(sbom_script):
    text = f"""\
a-b==1.0 ; python_full_version < '3.12' \\
    --hash=sha256:{"0" * 64} \\
    --hash=sha256:{"1" * 64}
    # via
    #   -c requirements/base.txt
    #   c
    #   moodify (pyproject.toml)
c[x]==2.0 \\
    --hash=sha256:{"2" * 64}
    # via a-b
"""
    first, second = sbom_script["pins_of"](text)
    assert (first.name, first.version, first.marker, len(first.hashes), first.asked_by) == ("a-b", "1.0", "python_full_version < '3.12'", 2, {"c"})
    assert (second.name, second.version, second.marker, second.asked_by) == ("c", "2.0", "", {"a-b"})
    other = sbom_script["Pin"]("a-b", "1.0", "", {"3" * 64}, {"d"})
    (merged,) = sbom_script["together"]([[first], [other]])
    assert (merged.marker, len(merged.hashes), merged.asked_by) == ("", 3, {"c", "d"})
