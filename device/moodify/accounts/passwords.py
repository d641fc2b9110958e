"""Passwords are kept as Argon2id hashes, by argon2-cffi."""

from __future__ import annotations

import base64
import secrets
import threading
import unicodedata
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import argon2
from argon2.exceptions import HashingError, InvalidHashError, VerificationError, VerifyMismatchError

from moodify.errors import RetryLater, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Longest wait for others' passwords, in seconds; a Pi Zero 2 W takes about half a second for one.
_TURN_S: Final = 10.0


class Hasher:
    """Makes and checks hashes. Safe from any thread; they take turns, so that all of them together take ``memory_kib``.

    The defaults are the least that OWASP's Password Storage Cheat Sheet allows for Argon2id, 19 MiB, two passes and one lane,
    because a Pi with 512 MB has little to give. A machine with more may ask for more: hashes made with less keep working,
    and :meth:`needs_rehash` finds them.
    """

    def __init__(self, *, memory_kib: int = 19 * 1024, passes: int = 2) -> None:
        self._argon2 = argon2.PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1, hash_len=32, salt_len=16, type=argon2.Type.ID)
        salt, digest = (base64.b64encode(secrets.token_bytes(size)).decode().rstrip("=") for size in (16, 32))
        self._one = threading.Lock()
        self._nobodys = f"$argon2id$v=19$m={memory_kib},t={passes},p=1${salt}${digest}"

    def hash(self, password: str) -> str:
        """Return a new salted hash in the PHC string format, about 100 ASCII characters.

        Raises:
            RetryLater: there is not enough memory now, or too many wait.
        """
        try:
            with self._turn():
                return self._argon2.hash(_octets(password))
        except HashingError as error:
            raise _busy() from error

    def verify(self, password_hash: str | None, password: str) -> bool:
        """Return whether ``password`` is the one that was hashed.

        None, for a user who is not there, takes as long and is never right: how long an answer takes must not tell who has an account.

        Raises:
            RetryLater: there is not enough memory now, or too many wait.
            StoreError: ``password_hash`` is no Argon2 hash.
        """
        kept = self._nobodys if password_hash is None else password_hash
        try:
            with self._turn():
                self._argon2.verify(kept, _octets(password))
        except VerifyMismatchError:
            return False
        except VerificationError as error:
            # The vendor tells a hash that can't be decoded from a lack of memory by its text alone.
            raise (_busy() if "emory" in str(error) else _damaged()) from error
        except ValueError as error:  # InvalidHashError and UnicodeEncodeError
            raise _damaged() from error
        return password_hash is not None

    def needs_rehash(self, password_hash: str) -> bool:
        """Return whether a hash was made with other figures than this hasher's: hash anew when its password was right.

        Raises:
            StoreError: it is no Argon2 hash.
        """
        try:
            return self._argon2.check_needs_rehash(password_hash)
        except InvalidHashError as error:
            raise _damaged() from error

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._one.acquire(timeout=_TURN_S):
            raise RetryLater("many people are signing in; try again in a moment")
        try:
            yield
        finally:
            self._one.release()


def _octets(password: str) -> bytes:
    # NIST SP 800-63B, 5.1.1.2: the same password typed on two keyboards may arrive composed or decomposed.
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


def _damaged() -> StoreError:
    return StoreError("the stored password of this account is damaged; set a new one")


def _busy() -> RetryLater:
    return RetryLater("there is not enough memory to check a password; try again in a moment")
