"""Links in the documents lead somewhere: to a file that is there, and to a heading that it has."""

import re
from urllib.parse import unquote

import pytest

#: ``[words](target)``, and not what code shows.
LINK = re.compile(r"(?<!`)\]\(<?([^)\s>]+)>?(?: [^)]*)?\)")
HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
CODE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
FOLDERS = (".", "docs", "models", "firmware_config")


def anchor(heading):
    """Return the anchor that a heading gets on a page: small, without marks, with hyphens for spaces."""
    words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
    return "".join(c for c in words if c.isalnum() or c in " -_").replace(" ", "-")


def dead(file):
    """Return the links of a file that lead nowhere."""
    found = []
    for target in LINK.findall(CODE.sub("", file.read_text("utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, fragment = target.partition("#")
        there = (file.parent / unquote(path)).resolve() if path else file
        if not there.exists() or (fragment and there.suffix == ".md" and fragment not in anchors(there)):
            found.append(target)
    return found


def anchors(file):
    return {anchor(heading) for heading in HEADING.findall(CODE.sub("", file.read_text("utf-8")))}


def test_links_in_the_documents_lead_somewhere(project_root):
    files = [file for folder in FOLDERS for file in sorted((project_root / folder).glob("*.md"))]
    assert len(files) > 10
    assert {str(file.relative_to(project_root)): links for file in files if (links := dead(file))} == {}


@pytest.mark.parametrize(
    ("target", "is_dead"), [("other.md", False), ("other.md#what-it-is--1", False), ("#here", False), ("gone.md", True), ("other.md#gone", True), ("https://a.test/x", False)]
)
def test_a_link_that_leads_nowhere_is_found(tmp_path, target, is_dead):
    (tmp_path / "other.md").write_text("# What it is: `-1`\n```\n# Gone\n```\n")
    (tmp_path / "one.md").write_text(f'## Here\nSee [it]({target}), [![it](https://a.test/b.svg)]({target} "twice").\n')
    assert dead(tmp_path / "one.md") == ([target, target] if is_dead else [])
