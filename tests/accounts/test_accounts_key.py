import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from moodify.accounts.key import load_key
from moodify.errors import StoreError


def test_a_key_is_made_once_for_its_owner_alone(tmp_path):
    path = tmp_path / "state" / "web.key"
    key = load_key(path)
    assert len(key) == 32
    assert load_key(path) == key
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["web.key"]


def test_all_who_start_at_once_have_the_same_key(tmp_path):
    ready = threading.Barrier(8)

    def load(_):
        ready.wait()
        return load_key(tmp_path / "web.key")

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(load, range(8)))) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["web.key"]


@pytest.mark.parametrize("content", [b"", bytes(31), bytes(33)])
def test_what_is_no_key_is_refused_and_left(tmp_path, content):
    path = tmp_path / "web.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(StoreError, match="is not a key of 32 bytes; run: rm"):
        load_key(path)
    assert path.read_bytes() == content


def test_a_key_that_others_may_read_is_none(tmp_path):
    path = tmp_path / "web.key"
    load_key(path)
    path.chmod(0o640)
    with pytest.raises(StoreError, match="may be read by others"):
        load_key(path)


def test_a_place_where_no_key_can_be_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="give the user that runs Moodify a folder"):
        load_key(tmp_path / "file" / "web.key")
