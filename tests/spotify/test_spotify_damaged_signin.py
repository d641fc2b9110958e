"""A kept sign-in that no Moodify has written."""

from datetime import UTC, datetime

import pytest

from moodify.errors import SignInNeeded
from moodify.music.spotify.ending import AUTHORISED_AT, REFUSED_AT, date_of, end_of, notice_of
from moodify.music.spotify.tokens import TokenFile

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_brackets_without_end_are_no_sign_in(tmp_path):
    tokens = TokenFile(tmp_path)
    tokens.path.write_text("[" * 100_000)
    with pytest.raises(SignInNeeded):
        tokens.get_cached_token()


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "9999-08-01", "1969-01-01"])
def test_a_date_with_which_nobody_could_reckon_is_not_known(text):
    token = {AUTHORISED_AT: text}
    assert date_of(token, AUTHORISED_AT) is None
    assert end_of(token) is None
    assert "not known" in notice_of(token, NOW)
    assert "not known" in notice_of({REFUSED_AT: text}, NOW)
