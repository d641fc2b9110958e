"""The audits of scripts/check fail where they must, and say so where they could not look."""

import importlib.util
import sys
from datetime import date

import pytest

TODAY = date(2026, 11, 21)
WEAK = {"name": "requests", "version": "2.0", "vulns": [{"id": "PYSEC-1", "aliases": ["CVE-2026-1"], "fix_versions": ["2.1"]}]}
WELL = {"name": "rich", "version": "14.0", "vulns": []}
UNKNOWN = {"name": "segno", "skip_reason": "not found"}


def loaded(project_root, name):
    spec = importlib.util.spec_from_file_location(name, project_root / f"scripts/{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def packages(project_root):
    yield loaded(project_root, "audit_packages")
    del sys.modules["audit_packages"]


@pytest.fixture
def code(project_root):
    yield loaded(project_root, "audit_code")
    del sys.modules["audit_code"]


def entry(until=date(2026, 12, 1), name="requests", known_as="CVE-2026-1"):
    return {"id": known_as, "package": name, "until": until, "why": "not reached"}


def test_a_known_weakness_fails(packages):
    verdict = packages.judge([WEAK, WELL], [], TODAY)
    assert verdict.failures == ("requests 2.0: PYSEC-1; fixed in 2.1",)


def test_one_that_is_accepted_is_told_until_its_day_is_over(packages):
    verdict = packages.judge([WEAK, WELL], [entry()], TODAY)
    assert (verdict.failures, len(verdict.notes)) == ((), 1)
    assert "accepted until 2026-12-01: not reached" in verdict.notes[0]
    assert packages.judge([WEAK], [entry(until=TODAY)], TODAY).failures == ()
    (late,) = packages.judge([WEAK], [entry(until=date(2026, 11, 20))], TODAY).failures
    assert "was accepted until 2026-11-20" in late


def test_what_is_accepted_for_one_package_is_not_for_another(packages):
    assert packages.judge([WEAK], [entry(name="rich")], TODAY).failures
    assert packages.judge([WEAK], [entry(known_as="CVE-2026-2")], TODAY).failures


def test_an_entry_that_is_needed_no_more_is_told(packages):
    verdict = packages.judge([WELL], [entry(name="rich")], TODAY)
    assert (verdict.failures, len(verdict.notes)) == ((), 1)
    assert packages.judge([UNKNOWN], [entry(name="segno")], TODAY).notes == ()


def test_what_was_not_looked_up_is_never_called_audited(packages):
    assert "NOT AUDITED" in packages.told(packages.judge([UNKNOWN], [], TODAY))
    some = packages.told(packages.judge([UNKNOWN, WELL], [], TODAY))
    assert "1 packages looked up" in some
    assert "NOT LOOKED UP: 1" in some
    assert "NOT" not in packages.told(packages.judge([WELL], [], TODAY))


def test_without_the_records_it_passes_and_says_that_it_did_not_look(packages, monkeypatch, capsys):
    monkeypatch.setattr(packages, "asked", lambda _: packages.asked_of([sys.executable, "-c", "raise SystemExit('connection refused')"]))
    assert packages.main() == 0
    told = capsys.readouterr().err
    assert "NOT AUDITED" in told
    assert "connection refused" in told


def test_records_that_do_not_answer_are_waited_for_no_longer_than_was_said(packages, monkeypatch):
    monkeypatch.setattr(packages, "PATIENCE_S", 0.1)
    assert packages.asked_of([sys.executable, "-c", "import threading; threading.Event().wait(60)"]) == "no answer within 0 s"


def finding(rule, line, line_range=None):
    return {"filename": "./a.py", "test_id": rule, "line_number": line, "line_range": line_range or [line], "issue_text": "what it is"}


def test_a_finding_in_the_code_needs_a_reason(code, tmp_path):
    (tmp_path / "a.py").write_text("one  # noqa: S608 - names of ours\ntwo  # noqa: S608\nthree\n")
    ruff = {"ignore": ["S603"], "per-file-ignores": {"b*": ["S101"]}}
    found, _ = code.unexplained([finding("B608", number) for number in (1, 2, 3)] + [finding("B603", 3), finding("B105", 1)], ruff, [], tmp_path)
    assert [line.split(" ")[0:2] for line in found] == [["a.py:2:", "B608"], ["a.py:3:", "B608"], ["a.py:1:", "B105"]]


def test_a_reason_may_be_for_a_file_or_in_another_line_of_the_same_statement(code, tmp_path):
    (tmp_path / "a.py").write_text("# ruff: noqa: S101, D103 - it is a test\none\ntwo  # noqa: S608 - marks\n")
    found, _ = code.unexplained([finding("B101", 2), finding("B608", 2, [2, 3])], {"ignore": [], "per-file-ignores": {}}, [], tmp_path)
    assert found == []
    found, _ = code.unexplained([finding("B311", 2)], {"ignore": [], "per-file-ignores": {"*.py": ["S311"]}}, [], tmp_path)
    assert found == []


def test_what_is_listed_is_the_line_as_it_is_and_no_other(code, tmp_path):
    (tmp_path / "a.py").write_text('  password = ""\n')
    listed = [{"rule": "B106", "sha1": code.fingerprint('password = ""')}]
    ruff = {"ignore": [], "per-file-ignores": {}}
    assert code.unexplained([finding("B106", 1)], ruff, listed, tmp_path) == ([], [])
    (tmp_path / "a.py").write_text('  password = "x"\n')
    found, gone = code.unexplained([finding("B106", 1)], ruff, listed, tmp_path)
    assert (len(found), len(gone)) == (1, 1)
