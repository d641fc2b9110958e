import subprocess
import sys
import threading

import pytest
from people import a_user

from moodify.accounts.passwords import Hasher
from moodify.accounts.strength import COMMON, MAX_LENGTH, weaknesses
from moodify.errors import StoreError

SECRET = "plover granite evening 47"


@pytest.fixture(scope="module")
def hasher():
    return Hasher(memory_kib=64, passes=1)


def test_a_password_is_proved_by_its_hash(hasher):
    kept = hasher.hash(SECRET)
    assert hasher.verify(kept, SECRET)
    assert not hasher.verify(kept, SECRET + " ")
    assert not hasher.verify(kept, "")


def test_a_hash_is_argon2id_salted_and_does_not_hold_the_password(hasher):
    one, other = hasher.hash(SECRET), hasher.hash(SECRET)
    assert one.startswith("$argon2id$v=19$m=64,t=1,p=1$")
    assert one != other
    assert "plover" not in one


def test_the_default_is_the_least_that_owasp_allows():
    assert Hasher().hash(SECRET).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_the_same_password_from_another_keyboard_is_right(hasher):
    assert hasher.verify(hasher.hash("caf\u00e9 granite evening"), "cafe\u0301 granite evening")


def test_a_password_that_is_no_text_is_only_wrong(hasher):
    assert not hasher.verify(hasher.hash(SECRET), "\ud800")


def test_nobody_has_no_password(hasher):
    assert hasher.verify(None, SECRET) is False
    assert hasher.verify(None, "") is False


def test_a_hash_of_other_figures_still_proves_and_asks_for_a_new_one(hasher):
    older = Hasher(memory_kib=32, passes=1).hash(SECRET)
    assert hasher.verify(older, SECRET)
    assert hasher.needs_rehash(older)
    assert not hasher.needs_rehash(hasher.hash(SECRET))


@pytest.mark.parametrize(
    "damage",
    [lambda h: "", lambda h: "nonsense", lambda h: h[:-6], lambda h: h[:30], lambda h: h.replace("t=1", "t=0"), lambda h: h.replace("argon2id", "argon2xx"), lambda h: h + "é"],
)
def test_a_damaged_hash_says_what_to_do_and_no_vendor_error_escapes(hasher, damage):
    with pytest.raises(StoreError, match="damaged; set a new one"):
        hasher.verify(damage(hasher.hash(SECRET)), SECRET)


def test_a_damaged_hash_is_not_asked_for_its_figures(hasher):
    with pytest.raises(StoreError, match="damaged"):
        hasher.needs_rehash("nonsense")


def test_want_of_memory_is_tried_again_and_no_vendor_error_escapes():
    code = """
import resource
from moodify.accounts.passwords import Hasher
from moodify.errors import RetryLater
kept = Hasher(memory_kib=64, passes=1).hash("plover granite evening")
hungry = Hasher(memory_kib=1024 * 1024)
limit = 512 * 1024 * 1024
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
for call in (lambda: hungry.hash("plover granite evening"), lambda: hungry.verify(kept.replace("m=64", "m=1048576"), "plover")):
    try:
        call()
    except RetryLater as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["there is not enough memory to check a password; try again in a moment"] * 2


def test_a_hasher_serves_several_threads(hasher):
    kept, right = hasher.hash(SECRET), []
    threads = [threading.Thread(target=lambda: right.append(hasher.verify(kept, SECRET))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert right == [True] * 8


@pytest.mark.parametrize(
    "password",
    [
        SECRET,
        "correct horse battery staple",
        "kühler morgen am see",
        "Annual cherry blossom",
        "my passenger keys",
        "9f2c71d0e8",
        "雨上がりの静かな朝の庭園",
        "moodify was a granite evening",
        "x" + SECRET * 10,
    ],
)
def test_a_password_worth_having_is_taken_whatever_it_is_composed_of(password):
    assert weaknesses(password, a_user(first_name="Ann", last_name="Al")) == ()


@pytest.mark.parametrize("password", ["", "a7!kQ", "plover 47", "e\u0301" * 5])
def test_a_short_password_is_refused_with_its_length(password):
    (told,) = weaknesses(password, a_user())
    assert "make it at least 10" in told


def test_a_password_without_an_end_is_refused():
    assert weaknesses(SECRET * 10, a_user()) == ()
    (told,) = weaknesses("granite evening " * MAX_LENGTH, a_user())
    assert "at most 256" in told


@pytest.mark.parametrize("password", ["AdaLovelace", "lovelace.ada1815", "ada@example.org", "4d4_L0v3l4c3!!", "countess.ada", "Countess-Countess"])
def test_a_password_made_of_the_persons_own_words_is_refused(password):
    told = weaknesses(password, a_user("countess@example.org"))
    assert any("your name or e-mail address" in reason for reason in told)


@pytest.mark.parametrize(
    "password",
    ["Password123!", "passwordpassword", "P@ssw0rd12345678", "qwertyuiop", "1q2w3e4r5t", "letmein1234", "Welcome-home-1", "ada-password-1", "moodify2026", "iloveyou!!!!!!"],
)
def test_a_password_that_everybody_tries_first_is_refused(password):
    told = weaknesses(password, a_user())
    assert any("everybody tries first" in reason for reason in told)


@pytest.mark.parametrize("password", ["aaaaaaaaaaaa", "1111122222", "abcdefghijkl", "zyxwvutsrqpon", "abcabcabcabc", "1928192819", "6789012345678"])
def test_a_password_that_goes_on_as_it_begins_is_refused(password):
    told = weaknesses(password, a_user())
    assert any("goes on as it begins" in reason for reason in told)


def test_common_words_are_in_the_form_in_which_they_are_compared():
    assert {word for word in COMMON if word != word.casefold() or not word.isalnum()} == set()
