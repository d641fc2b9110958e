import logging

import pytest

from moodify.system.redact import MASK, RedactingFilter, redact

_JWT = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJtb29kaWZ5In0.c2lnbmF0dXJl-bm90_cmVhbA"


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        (f"connecting with {_JWT}", _JWT),
        ("Authorization: Bearer BQDx-abc.def_ghi~1234", "BQDx-abc.def_ghi~1234"),
        ("headers {'authorization': 'Basic dXNlcjpwYXNzd29yZA=='}", "dXNlcjpwYXNzd29yZA=="),
        ("refresh_token=AQC8f3kq&grant_type=refresh_token", "AQC8f3kq"),
        ('{"access_token": "BQDxabc", "expires_in": 3600}', "BQDxabc"),
        ("password = 'let me in'", "let me in"),
        ("client_secret: s3cr3t, next", "s3cr3t"),
        ("mqtt://moodify:hunter2@broker:1883", "hunter2"),
        ("GET /callback?code=AQBx123&state=xyz", "AQBx123"),
        ("code_verifier=abcDEF123", "abcDEF123"),
        ("link.password=hunter2", "hunter2"),
        ("MOODIFY_LINK_PASSWORD=hunter2 MORE=1", "hunter2"),
        ("-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----", "MHcCAQEE"),
        ("-----BEGIN PRIVATE KEY-----\nMIGHAgEA cut off", "MIGHAgEA"),
    ],
)
def test_what_looks_like_a_secret_is_masked(line, secret):
    masked = redact(line)
    assert secret not in masked
    assert MASK in masked


@pytest.mark.parametrize(
    "line",
    [
        "The room feels happy, 93% sure",
        "Spotify's sign-in has ended. Run moodify spotify login",
        "spotify:track:6rqhFgbbKwnb9MLmUQDhG6 plays on http://127.0.0.1:8080/",
        "The token expires in 3600 s",
        "GET https://api.spotify.com/v1/me/player answered code=200",
    ],
)
def test_what_a_person_needs_to_read_is_left(line):
    assert redact(line) == line


def test_arguments_and_tracebacks_are_masked_too(caplog):
    logger = logging.getLogger("moodify.test.redact")
    caplog.handler.addFilter(mask := RedactingFilter())
    try:
        logger.info("sent %s", _JWT)
        try:
            raise ValueError("password=hunter2")
        except ValueError:
            logger.exception("It failed")
    finally:
        caplog.handler.removeFilter(mask)
    assert _JWT not in caplog.text
    assert "hunter2" not in caplog.text
    assert "ValueError" in caplog.text


def test_a_log_line_that_does_not_fit_its_arguments_still_passes():
    record = logging.LogRecord("x", logging.INFO, __file__, 1, "%d things", ("many",), None)
    assert RedactingFilter().filter(record)
