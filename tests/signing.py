"""Signing in without a password, as at a broker that asks for none."""

from moodify.cloud.port import Credentials


class NameOnly:
    """A port ``Passwords`` that gives a user name alone."""

    def __init__(self, username):
        self._username = username

    def credentials(self, now):
        return Credentials(self._username, None)
