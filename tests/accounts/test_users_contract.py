"""What every implementation of the port ``Kept`` does with users."""

import threading
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from people import NOON, a_user

from moodify.accounts.lockout import Tries
from moodify.accounts.memory import MemoryAccounts
from moodify.accounts.user import Role
from moodify.errors import AccountError, EmailTaken, NoSuchUser, StoreBusy

LATER = NOON + timedelta(hours=1)


@pytest.fixture
def users(kept):
    return kept


@pytest.fixture
def ada(users):
    user = a_user()
    users.add(user, "hash of ada")
    return user


def test_a_new_place_has_nobody(users):
    assert users.everybody() == ()
    assert users.by_id(uuid4()) is None
    assert users.by_email("ada@example.org") is None


def test_a_user_is_found_as_added(users, ada):
    assert users.by_id(ada.id) == ada
    assert users.by_email(ada.email) == ada
    assert users.password_hash(ada.id) == "hash of ada"
    assert users.tries(ada.id) == Tries()


def test_an_address_is_found_in_any_spelling(users, ada):
    assert users.by_email(" ADA@Example.ORG ") == ada
    with pytest.raises(AccountError, match="write it like"):
        users.by_email("ada")


def test_everybody_comes_in_the_order_in_which_they_were_made(users, ada):
    younger, older = a_user("grace@example.org", at=LATER, active=False), a_user("mary@example.org", at=NOON - timedelta(days=1), role=Role.OWNER)
    users.add(younger, "hash")
    users.add(older, "hash")
    assert users.everybody() == (older, ada, younger)


def test_no_two_users_share_an_address(users, ada):
    with pytest.raises(EmailTaken, match=r"ada@example\.org has an account already"):
        users.add(a_user("Ada@example.org"), "hash")
    assert users.everybody() == (ada,)


def test_no_two_users_share_an_id(users, ada):
    with pytest.raises(AccountError, match="id"):
        users.add(a_user("grace@example.org", id=ada.id), "other hash")
    assert users.by_id(ada.id) == ada
    assert users.password_hash(ada.id) == "hash of ada"


def test_an_update_changes_the_user_and_keeps_password_and_failures(users, ada):
    users.count_failure(ada.id, NOON)
    changed = replace(ada, email="countess@example.org", last_name="King", role=Role.OWNER, active=False, updated_at=LATER)
    assert users.change(ada.id, lambda _: changed) == changed
    assert users.by_id(ada.id) == changed
    assert users.by_email("countess@example.org") == changed
    assert users.by_email("ada@example.org") is None
    assert users.password_hash(ada.id) == "hash of ada"
    assert users.tries(ada.id).failures == 1


def test_an_update_cannot_take_anothers_address(users, ada):
    grace = a_user("grace@example.org")
    users.add(grace, "hash")
    with pytest.raises(EmailTaken):
        users.change(grace.id, lambda user: replace(user, email=ada.email))
    assert users.by_id(grace.id) == grace


def test_a_removed_user_is_gone_and_their_address_free(users, ada):
    users.count_failure(ada.id, NOON)
    users.remove(ada.id)
    assert users.by_id(ada.id) is None
    assert users.everybody() == ()
    users.add(ada, "new hash")
    assert users.password_hash(ada.id) == "new hash"
    assert users.tries(ada.id) == Tries()


def test_a_password_changes_for_its_user_alone(users, ada):
    grace = a_user("grace@example.org")
    users.add(grace, "hash of grace")
    users.set_password_hash(ada.id, "another")
    assert users.password_hash(ada.id) == "another"
    assert users.password_hash(grace.id) == "hash of grace"


def test_failures_add_up_until_they_are_cleared(users, ada):
    assert users.count_failure(ada.id, NOON) == Tries(1, NOON)
    assert users.count_failure(ada.id, LATER) == Tries(2, LATER)
    assert users.tries(ada.id) == Tries(2, LATER)
    users.clear_failures(ada.id)
    assert users.tries(ada.id) == Tries()


def test_no_failure_of_several_threads_at_once_is_lost_in_memory():
    users, ada = MemoryAccounts(), a_user()
    users.add(ada, "hash")
    threads = [threading.Thread(target=users.count_failure, args=(ada.id, NOON)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert users.tries(ada.id) == Tries(8, NOON)


@pytest.mark.parametrize(
    "call",
    [
        lambda users: users.change(uuid4(), lambda user: user),
        lambda users: users.remove(uuid4()),
        lambda users: users.password_hash(uuid4()),
        lambda users: users.set_password_hash(uuid4(), "hash"),
        lambda users: users.tries(uuid4()),
        lambda users: users.count_failure(uuid4(), NOON),
        lambda users: users.clear_failures(uuid4()),
    ],
)
def test_what_is_asked_of_nobody_is_refused_and_changes_nothing(users, ada, call):
    with pytest.raises(NoSuchUser):
        call(users)
    assert users.everybody() == (ada,)
    assert users.tries(ada.id) == Tries()


def test_a_jammed_place_says_so_and_loses_nothing():
    users, ada = MemoryAccounts(), a_user()
    users.jam()
    with pytest.raises(StoreBusy, match="try again"):
        users.add(ada, "hash")
    users.free()
    assert users.everybody() == ()
