"""The notice for visitors: in both languages, true of the configuration, and the same in the documentation."""

import pytest

from appliance import configure, moodify
from moodify.config.load import parse
from moodify.config.model import Config
from moodify.notice import LANGUAGES, facts_of, notice


def text(language, toml=""):
    return notice(language, facts_of(parse(toml, source="test") if toml else Config()))


def test_the_command_prints_both_languages_or_one(tmp_path):
    configure(tmp_path)
    both, english = moodify(tmp_path, "notice"), moodify(tmp_path, "notice", "--language", "en")
    assert (both.returncode, english.returncode) == (0, 0)
    assert both.stdout == f"{text('en')}\n{text('de')}"
    assert english.stdout == text("en")


def test_the_documentation_shows_it_for_the_defaults(project_root):
    shown = (project_root / "docs" / "notice.md").read_text("utf-8")
    for language in LANGUAGES:
        assert text(language).replace("# ", "## ", 1) in shown, "write it again from: moodify notice"


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
