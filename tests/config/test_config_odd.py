"""What nobody means to write into a configuration file, and fuzzing wrote."""

import pytest

from moodify.config.household import read_kept
from moodify.config.load import load, parse
from moodify.daemon.places import folder_of
from moodify.errors import ConfigError


def problems(text):
    with pytest.raises(ConfigError) as raised:
        parse(text, source="moodify.toml")
    return raised.value.problems


@pytest.mark.parametrize("name", ["int", "float", "constrained-str", "[key]"])
def test_a_key_that_is_called_as_pydantic_calls_a_type_is_unknown_like_others(name):
    (line,) = problems(f'"{name}" = 1')
    assert line.startswith(f"{name}: unknown key")
    (line,) = problems(f'[web]\n"{name}" = 1')
    assert line.startswith(f"web.{name}: unknown key")


@pytest.mark.parametrize("text", ["a = " + "[" * 5000, "[" + ".".join(["a"] * 3000) + "]\n", ".".join(["a"] * 3000) + " = 1"])
def test_what_stands_too_deep_in_one_another_is_a_mistake(text):
    (line,) = problems(text)
    assert "too deep" in line


def test_a_number_of_thousands_of_digits_is_a_mistake():
    assert problems("[web]\nport = " + "1" * 5000) == ("a number has thousands of digits; shorten it",)


@pytest.mark.parametrize("value", ["0x" + "f" * 5000, "[0x" + "f" * 5000 + "]"])
def test_a_number_that_can_be_read_and_not_be_written_is_a_mistake(value):
    (line,) = problems(f"[web]\nport = {value}")
    assert line.startswith("web.port = a number of thousands of digits: must be")


@pytest.mark.parametrize("key", ['[store]\nfolder = "/a\\u0000b"', '[web]\nnames = ["a\\u0000b"]', '[music.spotify]\nspeaker = "a\\u0000b"'])
def test_a_name_or_path_with_a_null_character_is_a_mistake(key):
    assert [line for line in problems(key) if "U+0000" in line]


def test_what_would_move_a_terminals_cursor_is_not_repeated():
    (line,) = problems('"a\\u001b[2J" = 1')
    assert line.isprintable()
    (line,) = problems('[music]\ngoal = "a\\u001b[2J"')
    assert line.isprintable()


def test_a_byte_order_mark_is_passed_over(tmp_path):
    file = tmp_path / "moodify.toml"
    file.write_text("[web]\nport = 1234\n", "utf-8-sig")
    assert load(file).web.port == 1234


def test_a_data_folder_in_a_home_that_is_not_known_says_so():
    with pytest.raises(ConfigError, match="whole path"):
        folder_of(parse('[store]\nfolder = "~nobody-of-this-name/x"', source="moodify.toml"))


def test_a_setting_whose_name_is_no_text_does_not_hide_the_others():
    assert read_kept({"\ud800": 1, "volume_cap": 40}).volume_cap == 40
