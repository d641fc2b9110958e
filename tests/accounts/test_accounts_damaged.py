"""Rows that a card has damaged, and tokens of brackets without end."""

import base64
import sys
from uuid import uuid4

import pytest
from people import NOON

from moodify.accounts.rows import row_of_user, session_of, user_of
from moodify.accounts.tokens import Tokens
from moodify.accounts.user import Role, User
from moodify.errors import NotSignedIn, StoreError

LIFE = dict.fromkeys(("began", "used", "ends"), "2026-11-21T12:00:00.000000+00:00")


@pytest.mark.parametrize("odd", [{"email": None}, {"first_name": 5}, {"created": "0001-01-01T00:00:00+14:00"}, {"created": 2.5}, {"preferences": None}, {"role": b"x"}])
def test_a_damaged_account_is_told_as_such(odd):
    row = row_of_user(User(uuid4(), "ada@example.org", "Ada", "", Role.OWNER, active=True, created_at=NOON, updated_at=NOON))
    assert user_of(row)
    with pytest.raises(StoreError, match="can't be read"):
        user_of(row | odd)


@pytest.mark.parametrize("odd", [{"token_hash": None}, {"ends": "9999-12-31T23:59:59-12:00"}, {"user_id": 5}])
def test_a_damaged_session_is_told_as_such(odd):
    row = {"id": "6f1c1c0e-7d2b-4b0e-9a35-6b1d6a0f3c11", "user_id": "6f1c1c0e-7d2b-4b0e-9a35-6b1d6a0f3c11", "label": "x", "token_hash": "00", **LIFE}
    assert session_of(row)
    with pytest.raises(StoreError, match="can't be read"):
        session_of(row | odd)


def test_a_token_that_is_deeper_than_what_is_left_of_the_stack_signs_nobody_in():
    tokens = Tokens(bytes(32), "moodify-page:m-test")
    deep = base64.urlsafe_b64encode(b"[" * 700).decode().rstrip("=") + ".e30.eA"

    def asked_from(depth):
        return tokens.claims(deep, NOON) if depth == 0 else asked_from(depth - 1)

    with pytest.raises(NotSignedIn):
        asked_from(sys.getrecursionlimit() // 2)
