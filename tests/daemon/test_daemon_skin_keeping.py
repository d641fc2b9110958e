"""The looks at people's skin: kept for their person alone, and told to nobody unless that person says so."""

import json
import sqlite3
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from looks import a_look
from moodify import sqlite
from moodify.accounts.tables import TableAccounts
from moodify.accounts.user import Role, User
from moodify.daemon import skin_sharing
from moodify.daemon.places import DATABASE
from moodify.daemon.skin_keeping import RunningSkinKeeping
from moodify.daemon.skin_sharing import SkinSharing
from moodify.errors import NoSuchUser, NotPermitted, StoreBusy, StoreError
from moodify.store.accounts import AccountTransactions
from moodify.store.prepare import prepare
from moodify.web.skin_port import KeptLook, Standing

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADA, BO = UUID(int=1), UUID(int=2)


def a_user(user_id, **fields):
    kept = {"email": f"{user_id.int}@example.org", "first_name": "Ada", "last_name": "Lovelace", "role": Role.OWNER, "active": True, "created_at": NOON, "updated_at": NOON}
    return User(**{"id": user_id} | kept | fields)


@pytest.fixture
def database(tmp_path):
    prepare(tmp_path / DATABASE)
    return tmp_path / DATABASE


@pytest.fixture
def accounts(database):
    with AccountTransactions(database) as transactions:
        accounts = TableAccounts(transactions)
        for user in (ADA, BO):
            accounts.add(a_user(user), "hash")
        yield accounts


@pytest.fixture
def keeping(accounts, database):
    """Where Ada has opted in, and Bo has not."""
    keeping = RunningSkinKeeping(database, now=lambda: NOON)
    keeping.opt_in(ADA)
    return keeping


def changed(database, statement):
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(statement)


def test_opting_in_is_everybodys_own_act_and_its_time_stays(keeping, database):
    assert keeping.standing(BO) == Standing(None, shared=False)
    later = RunningSkinKeeping(database, now=lambda: NOON + timedelta(days=1))
    assert later.opt_in(ADA) == keeping.standing(ADA) == Standing(NOON, shared=False)
    with pytest.raises(NoSuchUser):
        keeping.opt_in(UUID(int=3))


def test_a_look_comes_back_exactly_as_it_was_kept(keeping):
    record = a_look(earlier=[a_look(day=day) for day in range(4)], day=5, skin_type=3, redness=45.0)
    kept = keeping.keep(ADA, record)
    assert kept.record == record
    assert keeping.looks(ADA) == (kept,)


def test_a_look_whose_date_is_good_is_kept_in_the_words_that_an_older_moodify_reads(keeping, database):
    for doubted in (False, True):
        keeping.keep(ADA, a_look(day=doubted, date_doubted=doubted))
    with closing(sqlite3.connect(database)) as connection:
        kept = [json.loads(record) for (record,) in connection.execute("SELECT record FROM skin_looks ORDER BY looked_at")]
    assert ["date_doubted" in record for record in kept] == [False, True]
    assert [look.record.date_doubted for look in keeping.looks(ADA)] == [False, True]


def test_looks_are_given_the_oldest_first(keeping):
    kept = [keeping.keep(ADA, a_look(day=day)) for day in (2, 0, 1)]
    assert keeping.looks(ADA) == (kept[1], kept[2], kept[0])


@pytest.mark.parametrize("act", [lambda keeping: keeping.keep(BO, a_look()), lambda keeping: keeping.share(BO, on=True), lambda keeping: keeping.share(BO, on=False)])
def test_of_who_has_not_opted_in_nothing_is_kept_and_nothing_shared(keeping, act):
    with pytest.raises(NotPermitted, match="opt in first"):
        act(keeping)
    assert (keeping.standing(BO), keeping.looks(BO)) == (Standing(None, shared=False), ())


def test_opting_out_erases_every_look(keeping):
    keeping.keep(ADA, a_look())
    keeping.share(ADA, on=True)
    keeping.opt_out(ADA)
    keeping.opt_out(ADA)
    with pytest.raises(NotPermitted, match="opt in"):
        keeping.keep(ADA, a_look())
    assert keeping.opt_in(ADA) == Standing(NOON, shared=False)
    assert keeping.looks(ADA) == ()


def test_one_look_can_be_erased_by_its_person(keeping):
    first, second = (keeping.keep(ADA, a_look(day=day)) for day in (0, 1))
    assert not keeping.remove(BO, first.id)
    assert keeping.remove(ADA, first.id)
    assert keeping.looks(ADA) == (second,)


def test_an_export_holds_all_of_it(keeping):
    kept = keeping.keep(ADA, a_look())
    keeping.share(ADA, on=True)
    said = keeping.exported(ADA)
    assert said == {
        "skin": {
            "opted_in": NOON.isoformat(timespec="microseconds"),
            "shared": True,
            "looks": [{"id": str(kept.id), "record": kept.record.model_dump(mode="json", exclude={"date_doubted"})}],
        }
    }
    assert json.loads(json.dumps(said)) == said
    assert keeping.exported(BO) == {"skin": {"opted_in": None, "shared": False, "looks": []}}


@pytest.mark.parametrize("record", ["{", "[]", '{"skin_score": 50.0}', '{"written": "by a newer Moodify"}'])
def test_a_damaged_look_is_passed_over_which_the_log_says_and_is_still_exported_and_erased(keeping, database, caplog, record):
    damaged, whole = (keeping.keep(ADA, a_look(day=day)) for day in (0, 1))
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE skin_looks SET record = ? WHERE id = ?", [record, str(damaged.id)])
    assert keeping.looks(ADA) == (whole,)
    assert f"passed over: {damaged.id}" in caplog.text
    looks = keeping.exported(ADA)["skin"]["looks"]
    assert looks[0] == {"id": str(damaged.id), "record": record if record == "{" else json.loads(record)}
    assert keeping.remove(ADA, damaged.id)
    assert len(keeping.exported(ADA)["skin"]["looks"]) == 1


def test_what_is_allowed_and_can_not_be_read_is_told_with_what_to_do(keeping, database):
    changed(database, "UPDATE skin_people SET opted_in_at = 'yesterday'")
    with pytest.raises(StoreError, match="run moodify skin forget"):
        keeping.standing(ADA)
    assert keeping.exported(ADA)["skin"]["opted_in"] == "yesterday"
    keeping.opt_out(ADA)
    assert keeping.standing(ADA) == Standing(None, shared=False)


# -- what leaves


class Broker:
    """Keeps what is published."""

    def __init__(self):
        self.said = []

    def publish(self, name, value):
        self.said.append((name, json.loads(json.dumps(value))))

    @property
    def last(self):
        return self.said[-1][1]


@pytest.fixture
def broker():
    return Broker()


@pytest.fixture
def sharing(keeping, database, broker):
    with ExitStack() as house:
        yield SkinSharing(database, broker.publish, house)


def test_by_default_nothing_leaves_and_a_start_says_so(keeping, sharing, broker):
    keeping.keep(ADA, a_look())
    sharing.tick()
    assert broker.said == [("skin", {})]


def test_what_is_shared_leaves_as_numbers_of_the_newest_look_and_without_a_name(keeping, accounts, sharing, broker):
    keeping.share(ADA, on=True)
    for day in (1, 0):
        keeping.keep(ADA, a_look(day=day, skin_type=3))
    sharing.tick()
    newest = keeping.looks(ADA)[-1].record.model_dump(mode="json")
    names = {"looked_at", "date_doubted", "skin_score", "skin_score_version", "oiliness_level", "pore_size", "redness", "tone", "confidence_score"}
    assert broker.last == {"looks": {str(ADA): {name: newest[name] for name in names}}}
    text = json.dumps(broker.said)
    assert [word for word in ("Ada", "Lovelace", "example.org", "skin_type", "conditions") if word in text] == []


ENDS = {
    "sharing off": lambda keeping, _accounts: keeping.share(ADA, on=False),
    "opting out": lambda keeping, _accounts: keeping.opt_out(ADA),
    "deleting the look": lambda keeping, _accounts: keeping.remove(ADA, keeping.looks(ADA)[0].id),
    "removal": lambda _keeping, accounts: accounts.remove(ADA),
    "being shut out": lambda _keeping, accounts: accounts.change(ADA, lambda _user: a_user(ADA, active=False)),
}


@pytest.mark.parametrize("way", ENDS)
def test_once_nobody_shares_an_empty_state_takes_the_place_of_the_last(keeping, accounts, sharing, broker, way):
    keeping.share(ADA, on=True)
    keeping.keep(ADA, a_look())
    sharing.tick()
    assert broker.last != {}
    ENDS[way](keeping, accounts)
    sharing.tick()
    assert broker.last == {}


def test_who_still_shares_is_still_told_of(keeping, sharing, broker):
    keeping.opt_in(BO)
    for user in (ADA, BO):
        keeping.share(user, on=True)
        keeping.keep(user, a_look())
    sharing.tick()
    assert broker.last["looks"].keys() == {str(ADA), str(BO)}
    keeping.opt_out(ADA)
    sharing.tick()
    assert broker.last["looks"].keys() == {str(BO)}


def test_while_nothing_changes_the_looks_are_not_even_read(keeping, sharing, broker):
    for _ in range(3):
        sharing.tick()
    assert len(broker.said) == 1
    keeping.share(ADA, on=True)
    for _ in range(3):
        sharing.tick()
    assert len(broker.said) == 2


def test_of_many_people_as_many_as_fit_are_told_of(accounts, keeping, sharing, broker, monkeypatch):
    monkeypatch.setattr(skin_sharing, "PEOPLE_AT_MOST", 1)
    keeping.opt_in(BO)
    for user, day in ((ADA, 1), (BO, 0)):
        keeping.share(user, on=True)
        keeping.keep(user, a_look(day=day))
    sharing.tick()
    assert broker.last["looks"].keys() == {str(ADA)}


def test_as_many_as_are_told_of_fit_into_a_state():
    from moodify.cloud.topics import STATE_BYTES
    from moodify.store.skin import Look

    record = a_look(earlier=[a_look(day=day) for day in range(4)], oiliness=20.123456789012345, texture=30.123456789012345).model_dump_json()
    state = skin_sharing.state_of([Look(UUID(int=n), UUID(int=n), record) for n in range(2 * skin_sharing.PEOPLE_AT_MOST)])
    assert len(state["looks"]) == skin_sharing.PEOPLE_AT_MOST
    assert len(json.dumps(state)) < 0.8 * STATE_BYTES


def test_where_the_database_is_locked_it_is_told_later(keeping, sharing, broker, database, monkeypatch):
    keeping.share(ADA, on=True)
    keeping.keep(ADA, a_look())
    with monkeypatch.context() as locked:
        locked.setattr(skin_sharing.SkinTables, "shared", locked_out)
        sharing.tick()
    assert broker.said == []
    sharing.tick()
    assert broker.last != {}


def locked_out(_tables):
    raise StoreBusy("locked")


def test_what_can_not_be_read_does_not_stay_published(keeping, sharing, broker, database):
    keeping.share(ADA, on=True)
    keeping.keep(ADA, a_look())
    sharing.tick()
    assert broker.last != {}
    changed(database, "UPDATE skin_looks SET record = '{'")
    sharing.tick()
    assert broker.last == {}


def test_while_another_program_writes_it_is_busy(keeping, database, monkeypatch):
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_S", 0.05)
    with closing(sqlite3.connect(database)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy):
            keeping.keep(ADA, a_look())
        assert keeping.looks(ADA) == ()
    assert isinstance(keeping.keep(ADA, a_look()), KeptLook)
