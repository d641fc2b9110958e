import pytest
from daemon_house import DaemonHouse


@pytest.fixture
def house(tmp_path):
    """A house whose camera works."""
    with DaemonHouse(tmp_path) as house:
        house.sees_well()
        yield house
