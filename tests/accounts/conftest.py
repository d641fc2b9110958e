from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path

import pytest

from moodify.accounts.memory import MemoryAccounts
from moodify.accounts.tables import TableAccounts
from moodify.hub.database import open_database
from moodify.store.accounts import AccountTransactions
from moodify.store.prepare import prepare


@contextmanager
def in_memory(_):
    kept = MemoryAccounts()
    yield lambda: kept


@contextmanager
def on_a_device(folder):
    prepare(folder / "moodify.db")
    opened = []

    def open_again():
        opened.append(AccountTransactions(folder / "moodify.db"))
        return TableAccounts(opened[-1])

    yield open_again
    for transactions in opened:
        transactions.close()


@contextmanager
def at_a_hub(target):
    opened = []

    def open_again():
        opened.append(open_database(target))
        return TableAccounts(opened[-1].accounts)

    yield open_again
    for database in opened:
        database.close()


@pytest.fixture(params=["memory", "device", "hub on SQLite", pytest.param("hub on PostgreSQL", marks=pytest.mark.servers)])
def opening(request, tmp_path):
    """Opens accounts of every kind: each call as another process would; empty at first."""
    if request.param == "hub on PostgreSQL":
        where = at_a_hub(request.getfixturevalue("postgresql").new_database())
    else:
        where = {"memory": in_memory, "device": on_a_device, "hub on SQLite": lambda folder: at_a_hub(Path(folder) / "hub.db")}[request.param](tmp_path)
    with where as opening:
        yield opening


@pytest.fixture
def kept(opening):
    """Empty accounts of every kind."""
    return opening()
