"""Every error that the project raises on purpose.

    MoodifyError
    ├── ConfigError            the configuration has mistakes: all of them, each with its fix
    ├── RetryLater             it may work again by itself
    │   ├── CameraLost         unplugged, hung or busy
    │   ├── SpeakerUnavailable asleep, slow, rate-limited or failing
    │   │   └── BudgetSpent    our own requests of an hour are: a person's press is sent all the same
    │   ├── LinkDown           the broker can't be reached
    │   ├── TooManyTries       wrong passwords or codes; the next try waits
    │   └── StoreBusy          the database is locked or the disk is full
    ├── PersonMustAct          it stays broken until somebody does something
    │   ├── SignInNeeded       Spotify's sign-in is missing, ended or was revoked
    │   ├── NotSignedIn        nobody is signed in, or the session has ended
    │   ├── WrongSignIn        address, password or code are not right
    │   │   └── WrongPassword  who is signed in has mistyped it; the session goes on
    │   ├── NotPermitted       who is signed in may not do this
    │   ├── SpeakerNotFound    no speaker of that name is known to the account
    │   ├── NotAllowed         the account, scope or device may not do this
    │   ├── NoCamera           there is no camera to open
    │   ├── LinkRefused        the broker refuses this device
    │   ├── ModelError         a model file or manifest is not what it claims to be
    │   └── StoreError         the database can't be used as it is
    └── CannotWork             this request can never work
        ├── PictureError       not a picture, or one that can't be read
        ├── DataError          labelled data that are not what they should be
        ├── EnrolmentRefused   this device or key can't be enrolled, or forgotten, as it was asked for
        ├── NoSuchDevice       no device of this id is enrolled
        └── AccountError       an account can't be as it was asked for
            ├── EmailTaken     another account has this e-mail address
            └── NoSuchUser     there is no account of this id

The three families answer *what now?*. A message to a person ends with the next step.
Vendors' exceptions are mapped in their adapter and never pass it.
"""

from __future__ import annotations


class MoodifyError(Exception):
    """Base class. ``str()`` is one line for a person: what is wrong, and what to do."""

    #: What ``moodify`` exits with when this error ends the program.
    exit_code = 1
    #: How long to wait before it is tried again, in seconds, where the other side said so.
    retry_after_s: float | None = None


class ConfigError(MoodifyError):
    """The configuration has mistakes."""

    exit_code = 2

    def __init__(self, source: str, problems: tuple[str, ...]) -> None:
        """Take the file's name and one line for each mistake."""
        self.source = source
        self.problems = problems
        count = f"{len(problems)} mistakes" if len(problems) != 1 else "1 mistake"
        super().__init__("\n".join([f"{source}: {count}", *(f"  {line}" for line in problems)]))


class RetryLater(MoodifyError):
    """It may work again by itself."""

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        """Take the message and, where the other side said so, how long to wait."""
        self.retry_after_s = retry_after_s
        super().__init__(message)


class CameraLost(RetryLater):
    """The camera was there and is not any more: unplugged, hung or busy."""


class SpeakerUnavailable(RetryLater):
    """The speaker or its service can't take an order now."""


class BudgetSpent(SpeakerUnavailable):
    """The requests that may be sent unasked are spent. The service has refused nothing, and a person's press is sent all the same."""


class LinkDown(RetryLater):
    """The broker can't be reached."""


class TooManyTries(RetryLater):
    """Too many wrong passwords or codes; the next try has to wait."""


class StoreBusy(RetryLater):
    """The database is locked or the disk is full."""


class PersonMustAct(MoodifyError):
    """It stays broken until somebody does what the message says."""


class SignInNeeded(PersonMustAct):
    """Spotify's sign-in is missing, has ended or was revoked."""


class NotSignedIn(PersonMustAct):
    """Nobody is signed in, or the session has ended."""


class WrongSignIn(PersonMustAct):
    """Address, password or code are not right; which of them is not said."""


class WrongPassword(WrongSignIn):
    """The password that was to confirm something is not right; whoever typed it stays signed in."""


class NotPermitted(PersonMustAct):
    """Who is signed in may not do this."""


class SpeakerNotFound(PersonMustAct):
    """No speaker of that name is known to the account."""


class NotAllowed(PersonMustAct):
    """The account, the scope or the device may not do this."""


class NoCamera(PersonMustAct):
    """There is no camera to open."""


class LinkRefused(PersonMustAct):
    """The broker refuses this device."""


class ModelError(PersonMustAct):
    """A model file or its manifest is not what it claims to be."""


class StoreError(PersonMustAct):
    """The database can't be used as it is."""


class CannotWork(MoodifyError):
    """This request can never work."""

    exit_code = 2


class PictureError(CannotWork):
    """Not a picture, or one that can't be read."""


class DataError(CannotWork):
    """Labelled data to measure with are missing or not what they should be."""


class EnrolmentRefused(CannotWork):
    """A device or a key can't be enrolled, or forgotten, as it was asked for."""


class NoSuchDevice(CannotWork):
    """No device of this id is enrolled."""


class AccountError(CannotWork):
    """An account can't be as it was asked for."""


class EmailTaken(AccountError):
    """Another account has this e-mail address."""


class NoSuchUser(AccountError):
    """There is no account of this id."""
