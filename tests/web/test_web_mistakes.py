"""What is wrong with a request, in plain words."""

import pytest
from pydantic import ValidationError

from moodify.config.household import HouseSettings
from moodify.web.mistakes import told


def words_of(**values):
    with pytest.raises(ValidationError) as found:
        HouseSettings.model_validate(values)
    # FastAPI puts where it was found first.
    return told([{**mistake, "loc": ("body", *mistake["loc"])} for mistake in found.value.errors()])


def test_a_link_that_is_none_is_told_by_its_mood_and_with_what_to_do():
    assert words_of(moods={"happy": "https://example.org"}) == "happy: this is no Spotify link; in Spotify choose Share, Copy link."


def test_every_mistake_is_told():
    assert words_of(volume_cap=101, speaker="") == "volume cap: it must be 100 or less; speaker: it is too short (characters: 1 at least)."


@pytest.mark.parametrize("values", [{"moods": {"happy": "x"}}, {"client_id": "abc"}, {"volume_cap": "loud"}, {"odd": 1}])
def test_no_expression_and_no_path_through_the_request_is_shown(values):
    said = words_of(**values)
    assert "^" not in said
    assert "body." not in said


def test_what_nobody_can_have_typed_leads_to_the_description_of_the_interface():
    assert words_of(odd=1).endswith("Look at /openapi.json for what can be asked.")
