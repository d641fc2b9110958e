"""What a test has said can be told by one process of the tests to another (pytest-xdist): halves of pairs can't, and a log repeats what it was given."""

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        report.longrepr = _sayable(str(report.longrepr))
    report.sections = [(name, _sayable(text)) for name, text in report.sections]
    return report


def _sayable(text):
    return text.encode(errors="backslashreplace").decode()
