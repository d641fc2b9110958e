"""The notice for visitors: in both languages, true of the configuration, and the same in the documentation."""

import dataclasses
import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest

from appliance import configure, moodify
from moodify.config.load import parse
from moodify.config.model import Config
from moodify.notice import LANGUAGES, facts_of, notice_of, plain, printable


def markdown(found):
    """Return a notice as the documentation has it."""
    points = "\n".join(f"- **{label}**{rest}" for label, rest in found.points)
    return f"## {found.title}\n\n{found.lead.format(f'**{found.named}**')}\n\n{points}\n\n{found.end}\n"


def text(language, toml="", folder=None):
    return markdown(notice_of(language, facts_of(parse(toml, source="test") if toml else Config(), folder)))


def test_the_command_prints_both_languages_or_one(tmp_path):
    configure(tmp_path)
    both, english = moodify(tmp_path, "notice"), moodify(tmp_path, "notice", "--language", "en")
    assert (both.returncode, english.returncode) == (0, 0)
    assert english.stdout.startswith("A CAMERA HERE GUESSES MOODS")
    assert both.stdout.startswith(f"{english.stdout}\n\nEINE KAMERA")


def test_the_text_is_plain_and_narrow_and_says_what_the_documentation_says():
    for language in LANGUAGES:
        shown = plain(notice_of(language, facts_of(Config())))
        assert not re.findall(r"\*\*|[`<#]", shown)
        assert max(map(len, shown.splitlines())) <= 78
        documented = re.sub(r"(?m)^- |\*\*", "", text(language))
        assert words_after_title(shown.replace("  * ", "")) == words_after_title(documented)


def words_after_title(shown):
    return shown.partition("\n\n")[2].split()


class Read(HTMLParser):
    """The words of a page, the languages of its parts, and what it would fetch."""

    def __init__(self, page):
        super().__init__()
        self.words, self.languages, self.fetched = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.languages += [value for name, value in attrs if name == "lang" and tag == "article"]
        self.fetched += [value for name, value in attrs if name in {"src", "href"}]

    def handle_data(self, data):
        self.words += data.split()


def test_the_page_to_print_says_the_same_and_fetches_nothing(tmp_path):
    configure(tmp_path)
    done = moodify(tmp_path, "notice", "--html")
    assert (done.returncode, done.stderr) == (0, "")
    page = Read(done.stdout)
    assert page.languages == list(LANGUAGES)
    assert page.fetched == []
    assert "url(" not in done.stdout
    said = "".join(page.words)
    for language in LANGUAGES:
        for point in notice_of(language, facts_of(Config(), tmp_path)).points:
            assert "".join("".join(point).split()) in said


def test_no_name_becomes_a_part_of_the_page():
    page = printable([notice_of("en", dataclasses.replace(facts_of(Config()), broker="<b>&{}"))])
    assert "(&lt;b&gt;&amp;{})" in page


@pytest.mark.browser
def test_each_language_fills_one_sheet_of_paper(tmp_path):
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("data: no chromium is installed here")
    # The longest that it gets.
    facts = dataclasses.replace(facts_of(Config()), hours=(("22:00", "07:00"), ("12:00", "13:00")), features=True)
    page, printed = tmp_path / "notice.html", tmp_path / "notice.pdf"
    page.write_text(printable([notice_of(language, facts) for language in LANGUAGES]), "utf-8")
    arguments = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/chromium", f"--print-to-pdf={printed}", "--no-pdf-header-footer", str(page)]
    subprocess.run([chromium, *arguments], capture_output=True, timeout=60, check=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed.read_bytes())) == len(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_known_of_the_appliance_is_said_without_a_perhaps(language, tmp_path):
    known = text(language, folder=tmp_path)
    assert "Spotify" not in known
    assert {"en": "nowhere; it stays on the device", "de": "nirgendwohin; es bleibt auf dem Gerät"}[language] in known
    facts = facts_of(Config(), tmp_path)
    enrolled = markdown(notice_of(language, dataclasses.replace(facts, hub="hub.home", spotify=True)))
    assert "hub.home" in enrolled
    assert "Spotify" in enrolled
    for perhaps in ("unless somebody has enrolled", "where somebody here has signed in", "wenn es niemand", "wenn sich hier jemand"):
        assert perhaps not in enrolled
        assert perhaps not in known


def test_the_documentation_shows_it_for_the_defaults(project_root):
    shown = (project_root / "docs" / "notice.md").read_text("utf-8")
    for language in LANGUAGES:
        assert text(language) in shown, f"write it again: {text(language)}"


@pytest.mark.parametrize(("language", "words"), [("en", ("emotion recognition", "forbidden in the EU")), ("de", ("Emotionserkennung", "in der EU verboten"))])
def test_it_names_what_operates_and_leaves_no_gap(language, words):
    for toml in ("", "[link]\nenabled = false\n", '[link]\nhost = "broker.home"\n[music]\nspeaker = "simulated"\n[panel]\nenabled = false\n'):
        shown = text(language, toml)
        assert all(word in shown for word in words)
        assert "{" not in shown
        assert ".." not in shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_says_only_what_the_configuration_makes_true(language):
    default = text(language)
    assert "365" in default
    assert "Spotify" in default
    assert "reccobeats" not in default
    assert "broker.home" in text(language, '[link]\nhost = "broker.home"\n')
    assert "Spotify" not in text(language, '[music]\nspeaker = "simulated"\n')
    assert "reccobeats.com" in text(language, "[music]\nfeatures_online = true\n")
    assert "7" in text(language, "[store]\nretention_days = 7\n")
    closed = text(language, "[[privacy.hours]]\nstart = 22:00:00\nend = 07:00:00\n")
    assert "22:00" in closed
    assert "07:00" in closed
    without = text(language, "[panel]\nenabled = false\n[music]\nlearning = false\n")
    assert len(without) < len(default)
    for gone in ("15 sec", "15 Sek", "skipped", "übersprungen"):
        assert gone not in without
    assert "wink" not in text(language, '[panel]\nled = "none"\n')
