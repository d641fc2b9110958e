import re
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from moodify.types import Emotion, Mood

_STATIC = files("moodify.web").joinpath("static")
_SCRIPTS = sorted(file.name for file in _STATIC.iterdir() if file.name.endswith(".js"))
#: Where a person may go by a link; nothing is loaded from there.
_LINKS = {"https://developer.spotify.com/dashboard"}


class _Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags = []
        self.inline = ""

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self.tags and self.tags[-1][0] in {"script", "style"}:
            self.inline += data.strip()


@pytest.fixture
def page(browser):
    parser = _Page()
    parser.feed(browser.get("/").text)
    return parser


def _text(name):
    return _STATIC.joinpath(name).read_text()


def test_the_page_and_all_that_it_loads_at_first_is_under_100_kb(browser, page):
    loaded = [attrs.get("src") or attrs.get("href") for tag, attrs in page.tags if tag in {"script", "link", "img"}]
    answers = [browser.get(path) for path in {"/", *loaded, *(f"/static/{name}" for name in ("parts.js", "shell.js", "now.js", "signin.js"))}]
    assert all(answer.status_code == 200 for answer in answers)
    assert sum(len(answer.content) for answer in answers) < 100_000


def test_nothing_in_the_page_is_inline(page):
    assert page.inline == ""
    for tag, attrs in page.tags:
        assert tag != "style"
        assert "style" not in attrs
        assert not [name for name in attrs if name.startswith("on")]
        assert tag != "script" or attrs["src"].startswith("/static/")


def test_nothing_comes_from_a_foreign_host():
    for file in _STATIC.iterdir():
        urls = re.findall(r"(?:https?:)?//[\w.-]+\.\w+[^\s\"')]*", file.read_text())
        assert set(urls) - _LINKS <= {"http://www.w3.org/2000/svg"}, file.name


@pytest.mark.parametrize("script", _SCRIPTS)
def test_a_script_writes_text_and_never_markup(script):
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", _text(script))


@pytest.mark.parametrize("script", ["page.js", "shell.js", "now.js"])
def test_every_element_that_a_script_looks_for_is_in_the_page(page, script):
    ids = {attrs["id"] for _, attrs in page.tags if "id" in attrs}
    wanted = set(re.findall(r'(?:\$|copyOf)\("([\w-]+)"\)', _text(script)))
    assert len(wanted) > 3
    assert wanted <= ids


@pytest.mark.parametrize("script", _SCRIPTS)
def test_what_a_script_loads_is_there(script):
    assert set(re.findall(r'(?:from|import\()\s*"\./([\w.]+)"', _text(script))) <= set(_SCRIPTS)


def test_ids_are_used_once_and_labels_point_at_them(page):
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert {attrs["aria-labelledby"] for _, attrs in page.tags if "aria-labelledby" in attrs} <= set(ids)


def test_the_page_can_be_used_without_seeing_it(page):
    assert next(attrs["lang"] for tag, attrs in page.tags if tag == "html") == "en"
    assert all("alt" in attrs for tag, attrs in page.tags if tag == "img")
    assert [attrs for _, attrs in page.tags if attrs.get("aria-live") == "polite"]
    assert [attrs for _, attrs in page.tags if attrs.get("role") == "alert"]
    assert [attrs for tag, attrs in page.tags if tag == "h1"]
    assert all(attrs.get("aria-hidden") == "true" or attrs.get("role") == "img" for tag, attrs in page.tags if tag == "svg")


@pytest.mark.parametrize("mood", list(Mood))
def test_every_mood_has_its_word(mood):
    assert re.search(rf"\b{mood.value}: ", _text("now.js"))


@pytest.mark.parametrize("emotion", list(Emotion))
def test_every_emotion_has_its_face(emotion):
    assert re.search(rf"\b{emotion.value}: \[", _text("now.js"))


def test_an_unchanged_file_is_not_sent_again(browser):
    first = browser.get("/static/page.js")
    again = browser.get("/static/page.js", headers={"If-None-Match": first.headers["etag"]})
    assert first.headers["content-type"].startswith("text/javascript")
    assert again.status_code == 304
    assert again.content == b""
