"""What the dashboard is opened with."""

from moodify.hub import front
from moodify.hub.database import open_database
from moodify.hub.folder import HubFolder


def test_a_hub_gives_back_the_memory_of_a_hash(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(front, "keep_large_blocks_apart", lambda: asked.append(True))
    folder = HubFolder(tmp_path / "hub")
    folder.make()
    with open_database(tmp_path / "hub.db") as database:
        assert front.open_accounts(folder, database).claimable
    assert asked
