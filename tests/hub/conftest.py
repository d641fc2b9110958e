import pytest

from brokers import running_broker


@pytest.fixture
def broker(tmp_path):
    """A private mosquitto that runs."""
    with running_broker(tmp_path) as broker:
        yield broker
