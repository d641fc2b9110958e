"""A private broker that runs, and who listens there: for the tests on both of its sides."""

from contextlib import contextmanager

from moodify.cloud import broker as private
from moodify.cloud.port import Credentials
from waiting import wait_until

OBSERVER = Credentials(private.OBSERVER, None)


@contextmanager
def running_broker(folder):
    """Give a private mosquitto that listens, with its state and configuration below ``folder``."""
    with private.PrivateBroker(folder / "broker state", folder / "run") as broker:
        broker.endpoint()
        yield broker


def subscribed(listener):
    """Return a listener once it hears what is sent; there must be nothing to hear yet."""

    def listening():
        assert listener.poll(0.02) == []
        return listener.subscribed

    wait_until(listening, what="the subscription")
    return listener
