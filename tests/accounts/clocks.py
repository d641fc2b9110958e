"""A clock that tests move."""

from datetime import timedelta

from people import NOON


class MovedClock:
    """Stands still until it is moved."""

    def __init__(self, date=NOON):
        self._date = date
        self._now_s = 1000.0

    def pass_by(self, **time):
        """Lever: time passes."""
        self._date += timedelta(**time)
        self._now_s += timedelta(**time).total_seconds()

    def set_by(self, **time):
        """Lever: somebody sets the date."""
        self._date += timedelta(**time)

    def restart(self, **time):
        """Lever: the machine starts again after a time that its date may tell."""
        self._date += timedelta(**time)
        self._now_s = 5.0

    def now_s(self):
        return self._now_s

    def utc(self):
        return self._date
