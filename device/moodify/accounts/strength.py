"""Which passwords are refused, and why: the memorised secrets of NIST SP 800-63B, 5.1.1.2, without rules of composition."""

from __future__ import annotations

import unicodedata
from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from moodify.accounts.user import User

MIN_LENGTH: Final = 10
MAX_LENGTH: Final = 256
"""NIST asks to allow 64 and more; without an end, a megabyte would be taken as well."""
_OWN: Final = 6
"""So many characters must be left when words that anybody would try first are taken out."""
_SHORTEST_WORD: Final = 3
"""Shorter names are found in too many words to mean anything."""
_DISTINCT: Final = 5
_STEADY: Final = 0.7
"""Share of neighbours that are the same or next to each other in the alphabet, as in aaaaa, 12345 and zyxwv."""
_LEET: Final = str.maketrans("013457@$!|", "oieastasil")

#: What guessers try first, as the stems that other passwords are made of; written for this appliance.
COMMON: Final = frozenset(
    {
        *("password", "passwort", "passphrase", "passwd", "pass", "secret", "letmein", "opensesame", "changeme", "default", "welcome", "login", "access", "trustno", "whatever"),
        *("admin", "administrator", "root", "owner", "user", "guest", "master", "test", "server", "computer", "internet"),
        *("qwertyuiop", "qwertzuiop", "qwerty", "qwertz", "azerty", "asdfghjkl", "asdfgh", "asdf", "zxcvbnm", "zxcvbn", "yxcvbnm", "qazwsx", "1qaz2wsx", "1q2w3e4r5t", "1q2w3e4r"),
        *("1234567890", "0123456789", "123456789", "12345678", "1234567", "123456", "12345", "1234", "123", "987654321", "abc", "abcdef"),
        *("iloveyou", "loveyou", "lovely", "princess", "sunshine", "football", "baseball", "dragon", "monkey", "superman", "batman", "pokemon", "starwars", "shadow"),
        *("moodify", "spotify", "raspberry", "raspberrypi", "raspbian", "music", "camera", "speaker", "home", "kitchen", "family"),
    }
)


def weaknesses(password: str, user: User) -> tuple[str, ...]:
    """Return why ``user`` can't have this password, each with what to do; empty where they can."""
    text = unicodedata.normalize("NFKC", password).casefold()
    length = len(unicodedata.normalize("NFKC", password))
    if length < MIN_LENGTH:
        return (f"the password has {length} characters; make it at least {MIN_LENGTH}, for instance of four words that nobody would put together",)
    if length > MAX_LENGTH:
        return (f"the password has {length} characters; make it at most {MAX_LENGTH}",)
    found = []
    own = _words_of(user)
    if _left(text, own) < _OWN:
        found.append("the password is little more than your name or e-mail address; choose words that have nothing to do with you")
    elif _left(text, own | COMMON) < _OWN:
        found.append("the password is made of what everybody tries first; choose words that nobody would put together")
    if len(set(text)) < _DISTINCT or _steadiness(text) >= _STEADY:
        found.append("the password goes on as it begins; choose one that can't be guessed from its first characters")
    return tuple(found)


def _words_of(user: User) -> set[str]:
    local, _, domain = user.email.partition("@")
    parts = [user.name, local, domain.rpartition(".")[0]]
    words = {word for part in parts for word in "".join(letter if letter.isalnum() else " " for letter in part.casefold()).split()}
    return {word for word in words if len(word) >= _SHORTEST_WORD}


def _left(text: str, words: Iterable[str]) -> int:
    """Return how many letters and digits are left of ``text`` without ``words``, also where they are spelt with digits for letters."""
    return min(_without(text, words), _without(text.translate(_LEET), [word.translate(_LEET) for word in words]))


def _without(text: str, words: Iterable[str]) -> int:
    for word in sorted(words, key=len, reverse=True):
        text = text.replace(word, " ")
    return sum(letter.isalnum() for letter in text)


def _steadiness(text: str) -> float:
    steps = [abs(ord(after) - ord(before)) for before, after in pairwise(text)]
    return sum(step <= 1 for step in steps) / len(steps)
