"""What docs say of trust can be looked up: each provision of the standard stands once, and what is named as evidence is there."""

import re
from collections import Counter

import pytest

#: The provisions of ETSI EN 303 645 V3.1.3 (2024-09) with their status, as its annex B lists them: mandatory (M) or recommended (R), under a condition (C), for a feature (F).
PROVISIONS = """
5.0-1 M, 5.1-1 MF, 5.1-2 MF, 5.1-2A R, 5.1-3 MF, 5.1-4 MF, 5.1-5 MCF, 5.2-1 M, 5.2-2 R, 5.2-3 R,
5.3-1 RF, 5.3-2 MC, 5.3-3 MF, 5.3-4A RF, 5.3-4B RF, 5.3-5 RF, 5.3-6A RF, 5.3-6B RF, 5.3-7 MF, 5.3-8 MC, 5.3-9 RF, 5.3-10 MF, 5.3-11 RC, 5.3-12 RC, 5.3-13 M,
5.3-14 RC, 5.3-15A RC, 5.3-15B RC, 5.3-16 M, 5.4-1 MF, 5.4-2 MF, 5.4-3 M, 5.4-4 MF,
5.5-1 M, 5.5-2 R, 5.5-3 R, 5.5-4 R, 5.5-5 MF, 5.5-6 RF, 5.5-7 MF, 5.5-8 MC,
5.6-1 MF, 5.6-2 M, 5.6-3 R, 5.6-4A MF, 5.6-4B RF, 5.6-5 R, 5.6-6 R, 5.6-7 R, 5.6-8 R, 5.6-9 R, 5.7-1 R, 5.7-2 RF, 5.8-1 RF, 5.8-2 MF, 5.8-3 MF,
5.9-1 R, 5.9-2 R, 5.9-3 R, 5.10-1 RF, 5.11-1 M, 5.11-2 RF, 5.11-3 R, 5.11-4 R, 5.12-1 R, 5.12-2 R, 5.12-3 R, 5.13-1A M, 5.13-1B M,
6-1 M, 6-2 MF, 6-3A MF, 6-3B MF, 6-4 RF, 6-5 MF, 6-6 MF, 6-7 RF, 6-8 RF
"""
JUDGEMENTS = ("met", "partly", "not met", "not applicable")
EVIDENCE = re.compile(r"`((?:[\w.-]+/)*[\w.-]+(?:\.\w+|/[\w-]+)(?:::\w+)?)`")


@pytest.fixture(scope="module")
def table(project_root):
    text = (project_root / "docs/etsi-en-303-645.md").read_text("utf-8")
    return re.findall(r"^\| ([56][\w.]*-\w+) \| ([MRCF ]+) \| ([^|]+) \| ([^|]+) \| ([^|]*) \|$", text, re.MULTILINE)


def evidence(cell):
    """Return the files and tests that a cell names: what has a slash, or is a file at the root."""
    return [each for each in EVIDENCE.findall(cell) if "/" in each or each.endswith(".md")]


def wanting(project_root, named):
    """Return what is named and not there."""
    missing = []
    for each in named:
        file, _, test = each.partition("::")
        path = project_root / file
        if not path.is_file() or (test and not re.search(rf"^(?:async )?def {test}\(", path.read_text("utf-8"), re.MULTILINE)):
            missing.append(each)
    return missing


def test_each_provision_stands_once_with_its_kind(table):
    expected = dict(each.split() for each in PROVISIONS.replace("\n", " ").strip().split(", "))
    assert [number for number, *_ in table] == list(expected)
    assert {number: kind.replace(" ", "") for number, kind, *_ in table} == expected


def test_each_has_a_judgement_and_the_sums_are_right(table, project_root):
    assert {judgement for *_, judgement, _ in table} <= set(JUDGEMENTS)
    counted = Counter((kind[0], judgement) for _, kind, _, judgement, _ in table)
    text = (project_root / "docs/etsi-en-303-645.md").read_text("utf-8")
    for letter, name in (("M", "mandatory"), ("R", "recommended")):
        assert f"| {name} | {' | '.join(str(counted[letter, each]) for each in JUDGEMENTS)} |" in text


def test_what_is_met_names_what_shows_it(table):
    assert [number for number, _, _, judgement, why in table if judgement in {"met", "partly"} and not evidence(why)] == []


def test_what_is_not_met_says_why(table):
    bare = [number for number, _, _, judgement, why in table if judgement != "met" and len(EVIDENCE.sub("", why).strip(" ,")) < 20]
    assert bare == []


def test_all_that_is_named_is_there(table, project_root):
    named = [each for *_, why in table for each in evidence(why)]
    assert len(named) > 100
    assert wanting(project_root, named) == []


@pytest.mark.parametrize("document", ["docs/threat-model.md", "SECURITY.md"])
def test_what_other_documents_on_trust_name_is_there_too(project_root, document):
    named = evidence((project_root / document).read_text("utf-8"))
    assert named
    files = [each for each in named if each.partition("/")[0] in {"tests", "scripts", "docs", "requirements", "firmware_config", "systemd", ".ci"} or each.endswith(".md")]
    assert wanting(project_root, files) == []


def test_a_test_that_is_not_there_would_be_missed(project_root):
    here = "tests/trust/test_trust_etsi.py"
    assert wanting(project_root, [f"{here}::test_what_is_not_met_says_why", here, "README.md"]) == []
    assert wanting(project_root, [f"{here}::test_of_nothing", "tests/none.py"]) == [f"{here}::test_of_nothing", "tests/none.py"]


def test_the_policy_says_where_when_and_for_how_long(project_root):
    text = (project_root / "SECURITY.md").read_text("utf-8")
    assert re.search(r"privately", text)
    assert re.search(r"answer within \d+ working days", text)
    assert re.search(r"every \d+ days", text)
    assert re.search(r"supported until|at least two years", text)
