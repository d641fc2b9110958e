import base64
import json
from datetime import timedelta
from uuid import uuid4

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from people import NOON

from moodify.accounts.session import Session, new_life
from moodify.accounts.tokens import Tokens, hash_of
from moodify.errors import NotSignedIn

KEY = bytes(range(32))
TOKENS = Tokens(KEY, "moodify-page:m-test")
SESSION = Session(uuid4(), uuid4(), "x", new_life(NOON), bytes(32))


def minted(key=None, algorithm="HS256", **changes):
    """Return an access token that somebody else has made; None takes a claim away."""
    claims = {"aud": "moodify-page:m-test", "sub": str(SESSION.user_id), "sid": str(SESSION.id), "iat": int(NOON.timestamp()), "exp": int(NOON.timestamp()) + 600} | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(claims, TOKENS._access if key is None else key, algorithm=algorithm)


def refused(token, at=NOON):
    with pytest.raises(NotSignedIn, match="sign in"):
        TOKENS.claims(token, at)


def test_a_token_says_who_for_ten_minutes():
    token, expires = TOKENS.access(SESSION, NOON + timedelta(microseconds=999_999))
    assert expires == NOON + timedelta(minutes=10)
    assert TOKENS.claims(token, expires - timedelta(microseconds=1)).session_id == SESSION.id
    refused(token, expires)


def test_what_the_service_mints_is_what_it_takes():
    assert TOKENS.claims(minted(), NOON).user_id == SESSION.user_id


def test_it_says_no_more_than_who():
    token, _ = TOKENS.access(SESSION, NOON)
    body = token.split(".")[1]
    assert set(json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))) == {"aud", "sub", "sid", "iat", "exp"}


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_no_other_algorithm_is_taken(algorithm):
    refused(minted(key=TOKENS._access * 2, algorithm=algorithm))


def test_an_unsigned_token_is_none():
    refused(minted(key="", algorithm="none"))
    head, body, _ = minted().split(".")
    refused(f"{head}.{body}.")


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "moodify-hub"},
        {"aud": ["moodify-page:m-test", "moodify-hub"]},
        {"aud": None},
        {"sub": None},
        {"sid": None},
        {"iat": None},
        {"exp": None},
        {"sub": "ada"},
        {"sid": 5},
        {"sid": None, "jti": "x"},
        {"exp": "soon"},
        {"exp": 10**20},
        {"iat": int(NOON.timestamp()) + 61},
    ],
)
def test_a_token_that_says_too_little_or_nonsense_is_none(changes):
    refused(minted(**changes))


def test_a_token_of_another_key_is_none():
    refused(minted(key=KEY))


@given(st.text(max_size=2000))
def test_nothing_else_is_a_token_and_no_vendor_error_escapes(text):
    refused(text)
    with pytest.raises(NotSignedIn):
        TOKENS.next_refresh(text)


@given(st.integers(min_value=0, max_value=85), st.sampled_from("ABCxyz09-_"))
def test_a_refresh_token_in_which_a_character_is_changed_is_never_another(at, letter):
    token = TOKENS.first_refresh(SESSION.id)
    changed = token[:at] + letter + token[at + 1 :]
    if changed == token:
        return
    if at == 85:
        # It has bits that say nothing: the same token in another spelling.
        assert hash_of(changed) != hash_of(token)
    else:
        with pytest.raises(NotSignedIn):
            TOKENS.session_of(changed)


def test_refresh_tokens_are_random_and_what_follows_is_not():
    first, other = TOKENS.first_refresh(SESSION.id), TOKENS.first_refresh(SESSION.id)
    assert first != other
    assert TOKENS.next_refresh(first) == TOKENS.next_refresh(first) != TOKENS.next_refresh(other)
    assert TOKENS.session_of(TOKENS.next_refresh(first)) == SESSION.id


def test_a_key_of_another_length_is_refused():
    with pytest.raises(ValueError, match="16 bytes, not 32"):
        Tokens(bytes(16), "moodify-hub")
