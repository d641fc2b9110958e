"""Configuration files that nobody means to write."""

import re
from pathlib import Path

import pytest
from fuzzing import damaged, fuzzed, ours, values
from hypothesis import given
from hypothesis import strategies as st

from moodify.config.household import HouseSettings, Wishes, read_kept
from moodify.config.load import load, parse
from moodify.config.model import Config
from moodify.errors import ConfigError
from moodify.hub.config import HubConfig

SHIPPED = (Path(__file__).resolve().parents[2] / "firmware_config" / "moodify.toml").read_bytes()


def keys_of(model):
    for name, field in model.model_fields.items():
        yield name
        for inner in re.findall(r"\w+Config|Person|Goal\w*|\w*Hours", str(field.annotation)):
            found = getattr(__import__("moodify.config.model", fromlist=[inner]), inner, None)
            if found is not None:
                yield from (f"{name}.{key}" for key in keys_of(found))


NAMES = sorted({*keys_of(Config), *keys_of(HubConfig)})
bare = st.sampled_from(["int", "float", '"[key]"', '""', '"#1"', '"a\\u0000b"', "x", "constrained-str"])
names = st.sampled_from(NAMES) | bare | st.tuples(st.sampled_from(NAMES), bare).map(".".join)
literals = st.recursive(
    st.sampled_from(
        [
            '""',
            '"\\u0000"',
            '"\\u001b[2J"',
            '"auto"',
            '"~nobody/x"',
            '"/\\u0000"',
            "true",
            "0",
            "-1",
            "0x" + "f" * 4000,
            "1" * 5000,
            "inf",
            "nan",
            "-inf",
            "1e999",
            "07:32:00",
            "1979-05-27T07:32:00-08:00",
            "1979-05-27",
            "0001-01-01T00:00:00+14:00",
            '"""\n"""',
            "'x'",
            '"spotify:track:x"',
            '"https://open.spotify.com/track/x"',
            "9 pm",
        ]
    ),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda some: f"[{', '.join(some)}]")
        | st.dictionaries(bare | st.sampled_from(["start", "end", "goal", "cap", "happy"]), inner, max_size=3).map(
            lambda some: "{" + ", ".join(f"{key} = {one}" for key, one in some.items()) + "}"
        )
    ),
    max_leaves=6,
)
lines = st.tuples(names, literals).map(" = ".join) | names.map("[{}]".format) | names.map("[[{}]]".format) | st.text(max_size=20)
written = st.lists(lines, max_size=6).map("\n".join)


@pytest.mark.parametrize("model", [Config, HubConfig])
@given(text=written)
@fuzzed(120)
def test_whatever_is_written_is_a_configuration_or_tells_its_mistakes(model, text):
    found = ours(parse, text, source="moodify.toml", model=model)
    assert isinstance(found, (model, ConfigError))
    if isinstance(found, ConfigError):
        assert found.problems
        assert all(line.strip() for line in found.problems)


@given(content=damaged(SHIPPED))
@fuzzed(60)
def test_the_shipped_file_may_be_damaged(tmp_path_factory, content):
    file = tmp_path_factory.getbasetemp() / "damaged.toml"
    file.write_bytes(content)
    assert isinstance(ours(load, file), (Config, ConfigError))


@given(kept=values(*HouseSettings.model_fields, "start", "end", "happy"))
@fuzzed(80)
def test_what_was_set_on_the_page_and_is_odd_is_left_out(kept):
    assert isinstance(read_kept(kept), Wishes)
