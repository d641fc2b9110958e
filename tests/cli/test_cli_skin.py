"""``moodify skin history``, ``card`` and ``forget``; and what becomes of looks in a backup, a restore, an export, and when people or all is erased."""

import json
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from typer.testing import CliRunner

from appliance import configure, data_folder, environment_of
from looks import a_look
from moodify.accounts.tables import TableAccounts
from moodify.accounts.user import Role, User
from moodify.cli.main import app
from moodify.daemon.places import DATABASE
from moodify.daemon.skin_keeping import RunningSkinKeeping
from moodify.errors import AccountError, CannotWork, MoodifyError, NoSuchUser, PersonMustAct
from moodify.skin.card_pdf import card_pdf
from moodify.store.accounts import AccountTransactions
from moodify.store.lock import FolderLock
from moodify.store.prepare import prepare
from moodify.web.skin_port import Standing
from terminals import typed

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADA, BO = (
    User(
        UUID(int=number),
        f"{name.lower()}@example.org",
        name,
        "Lovelace",
        Role.OWNER,
        active=True,
        created_at=NOON + timedelta(days=number),
        updated_at=NOON + timedelta(days=number),
    )
    for number, name in ((1, "Ada"), (2, "Bo"))
)


@pytest.fixture
def home(tmp_path):
    """A home where Ada and Bo have accounts, and Ada has allowed looks."""
    home = tmp_path / "home"
    configure(home)
    prepare(data_folder(home) / DATABASE)
    with AccountTransactions(data_folder(home) / DATABASE) as transactions:
        for user in (ADA, BO):
            TableAccounts(transactions).add(user, "hash")
    keeping_of(home).opt_in(ADA.id)
    return home


def keeping_of(home):
    return RunningSkinKeeping(data_folder(home) / DATABASE, now=lambda: NOON)


@pytest.fixture
def keeping(home):
    return keeping_of(home)


def command(home, *arguments):
    """Run a command in this process, as somebody whose home it is and who is at no terminal."""
    given = dict.fromkeys(("STATE_DIRECTORY", "XDG_DATA_HOME", "XDG_CONFIG_HOME")) | environment_of(home) | {"COLUMNS": "200"}
    return CliRunner().invoke(app, [str(each) for each in arguments], env=given)


def done(home, *arguments):
    result = command(home, *arguments)
    assert (result.exit_code, result.stderr) == (0, ""), result.exception
    return result.stdout


def refused(home, *arguments):
    result = command(home, *arguments)
    assert isinstance(result.exception, MoodifyError), result.exception
    assert result.stdout == ""
    return result.exception


def keep(keeping, number, user=ADA, **shot):
    """Keep a look each day, whose shine grows by two points a day; return them."""
    records = []
    for day in range(number):
        records.append(a_look(day=day, oiliness=20.0 + 2 * day, earlier=records, **shot))
    return [keeping.keep(user.id, record) for record in records]


# -- history


def test_before_the_first_run_nobody_has_allowed_anything_and_nothing_is_made(tmp_path):
    configure(tmp_path)
    assert done(tmp_path, "skin", "history").startswith("Nobody has allowed looks at their skin.")
    assert json.loads(done(tmp_path, "skin", "history", "--json")) == {"people": []}
    assert not data_folder(tmp_path).exists()


def test_who_has_allowed_looks_and_has_none_is_told_how_to_have_one(home):
    said = done(home, "skin", "history")
    assert "Ada Lovelace (ada@example.org) allows looks since 2026-03-01." in said
    assert "There is none yet." in said
    assert "Bo" not in said


def test_looks_are_shown_with_their_spread_and_where_they_go(home, keeping):
    keep(keeping, 7)
    said = done(home, "skin", "history")
    (row,) = [line for line in said.splitlines() if line.startswith("2026-03-07")]
    assert row.split()[2:] == ["32", "±0", "30", "±0", "45", "±0", "70", "±0", "44", "100"]
    assert "shine: rising: +60.0 points in 30 days (95 %: +60.0 to +60.0), by 7 looks" in said
    assert "texture: no change that is more than chance: +0.0 points in 30 days" in said
    assert "The newest look: looks as usual." in said
    assert "Without hydration, elasticity: not measurable with a camera." in said
    assert "See a pharmacist, doctor or dermatologist" in said
    assert "example.org" in said


def test_too_few_looks_make_no_trend_and_what_was_not_measured_is_a_dash(home, keeping):
    keep(keeping, 4)
    said = done(home, "skin", "history")
    assert said.count("no trend yet, which takes 5 looks that can be compared, over 3 days or more") == 4
    (row,) = [line for line in said.splitlines() if line.startswith("2026-03-01")]
    assert row.split()[-2:] == ["–", "100"]


def test_many_looks_are_shown_as_the_newest_and_json_has_all(home, keeping):
    keep(keeping, 23)
    said = done(home, "skin", "history")
    assert "The newest 20 of 23; --json has all." in said
    assert ("2026-03-03 " in said, "2026-03-04 " in said) == (False, True)
    (ada,) = json.loads(done(home, "skin", "history", "--json"))["people"]
    assert len(ada["looks"]) == 23


def test_a_look_by_a_clock_known_to_be_wrong_is_marked_and_in_no_trend(home, keeping):
    keep(keeping, 5)
    keeping.keep(ADA.id, a_look(day=-20_000, oiliness=90.0, date_doubted=True))
    said = done(home, "skin", "history")
    assert [line.split()[2] for line in said.splitlines() if re.match(r"\d{4}-", line)] == ["?", "20", "22", "24", "26", "28"]
    assert "?: taken while the clock was known to be wrong; no trend has it." in said
    assert "by 5 looks" in said


def test_json_tells_looks_and_trends_of_everybody_who_allows_them(home, keeping):
    kept = keep(keeping, 5)
    keeping.opt_in(BO.id)
    ada, bo = json.loads(done(home, "skin", "history", "--json"))["people"]
    assert (ada["id"], ada["email"], ada["opted_in"], ada["shared"]) == (str(ADA.id), ADA.email, NOON.isoformat(), False)
    assert ada["looks"] == [{"id": str(look.id), "record": look.record.model_dump(mode="json")} for look in kept]
    trend = ada["trends"]["oiliness_level"]
    assert (round(trend["per_month"], 6), trend["looks"], trend["direction"]) == (60.0, 5, "rising")
    assert (bo["looks"], set(bo["trends"].values())) == ([], {None})


def test_of_one_person_alone_it_is_told_by_their_address(home, keeping):
    keep(keeping, 1)
    assert "Ada" not in done(home, "skin", "history", "--email", " BO@example.org")
    assert "Bo Lovelace (bo@example.org) has not allowed looks" in done(home, "skin", "history", "--email", "bo@example.org")
    (bo,) = json.loads(done(home, "skin", "history", "--email", "bo@example.org", "--json"))["people"]
    assert (bo["opted_in"], bo["looks"]) == (None, [])


@pytest.mark.parametrize("arguments", [("history",), ("forget", "--yes")])
def test_an_address_that_nobody_has_is_told(home, arguments):
    error = refused(home, "skin", *arguments, "--email", "eve@example.org")
    assert isinstance(error, NoSuchUser)
    assert "moodify users list" in str(error)
    assert isinstance(refused(home, "skin", *arguments, "--email", "nobody"), AccountError)


def test_who_shares_is_told_so(home, keeping):
    keeping.share(ADA.id, on=True)
    assert "and shares the newest over MQTT" in done(home, "skin", "history")


def test_it_works_while_the_appliance_runs(home, keeping):
    keep(keeping, 1)
    with FolderLock(data_folder(home)):
        assert "2026-03-01" in done(home, "skin", "history")
        assert "Erased: 1 look" in done(home, "skin", "forget", "--email", ADA.email, "--yes")


# -- card


def test_the_card_is_written_as_the_project_makes_it(tmp_path):
    said = done(tmp_path, "skin", "card", tmp_path / "card.pdf", "--print", "3")
    assert "print 3" in said
    assert "100 %" in said
    assert (tmp_path / "card.pdf").read_bytes() == card_pdf(3)


def test_a_card_takes_the_place_of_nothing(tmp_path):
    (tmp_path / "card.pdf").write_text("dear friend")
    error = refused(tmp_path, "skin", "card", tmp_path / "card.pdf")
    assert (type(error), "name another file" in str(error)) == (CannotWork, True)
    assert (tmp_path / "card.pdf").read_text() == "dear friend"


def test_a_card_that_can_not_be_is_refused_with_what_to_do(tmp_path):
    assert "count from 0 to 11; name one of them with --print" in str(refused(tmp_path, "skin", "card", tmp_path / "card.pdf", "--print", "12"))
    assert isinstance(refused(tmp_path, "skin", "card", tmp_path / "nowhere" / "card.pdf"), PersonMustAct)
    assert list(tmp_path.iterdir()) == []


# -- forget


def test_forgetting_asks_first_and_takes_one_word_alone_for_yes(home, keeping):
    keep(keeping, 2)
    assert "add --yes" in str(refused(home, "skin", "forget", "--email", ADA.email))
    out, code = typed(home, "no", "skin", "forget", "--email", ADA.email)
    assert ("This erases 2 looks at the skin of Ada Lovelace" in out, "Nothing was erased." in out, code) == (True, True, 1)
    assert len(keeping.looks(ADA.id)) == 2
    assert "Erased: 2 looks" in done(home, "skin", "forget", "--email", ADA.email, "--yes")
    assert (keeping.standing(ADA.id), keeping.looks(ADA.id)) == (Standing(None, shared=False), ())


def test_forgetting_leaves_everybody_else_alone_and_nothing_where_nothing_is(home, keeping):
    keeping.opt_in(BO.id)
    kept = keep(keeping, 1, user=BO)
    keeping.share(ADA.id, on=True)
    assert "What they shared is withdrawn" in done(home, "skin", "forget", "--email", ADA.email, "--yes")
    assert keeping.looks(BO.id) == tuple(kept)
    assert "has not allowed looks" in done(home, "skin", "forget", "--email", ADA.email)


def test_damaged_looks_are_passed_over_and_can_be_forgotten(home, keeping):
    damaged, _ = keep(keeping, 2)
    with closing(sqlite3.connect(data_folder(home) / DATABASE)) as connection, connection:
        connection.execute("UPDATE skin_looks SET record = '{' WHERE id = ?", [str(damaged.id)])
        connection.execute("UPDATE skin_people SET opted_in_at = ''")
    assert "run moodify skin forget" in str(refused(home, "skin", "history"))
    assert "Erased: 2 looks " in done(home, "skin", "forget", "--email", ADA.email, "--yes")
    assert keeping.looks(ADA.id) == ()


# -- what becomes of looks elsewhere


def test_an_export_has_the_looks_of_each_person(home, keeping):
    (kept,) = keep(keeping, 1)
    done(home, "export", home / "out")
    ada, bo = json.loads((home / "out" / "people.json").read_bytes())
    assert ada["skin"] == {
        "opted_in": NOON.isoformat(timespec="microseconds"),
        "shared": False,
        "looks": [{"id": str(kept.id), "record": kept.record.model_dump(mode="json", exclude={"date_doubted"})}],
    }
    assert bo["skin"] == {"opted_in": None, "shared": False, "looks": []}


def test_looks_come_along_with_accounts_in_a_backup_with_keys_and_are_shared_by_nobody(home, keeping, tmp_path):
    kept = keep(keeping, 2)
    keeping.share(ADA.id, on=True)
    done(home, "backup", home / "backup", "--with-keys")
    configure(tmp_path / "fresh")
    done(tmp_path / "fresh", "restore", home / "backup")
    restored = keeping_of(tmp_path / "fresh")
    assert (restored.looks(ADA.id), restored.standing(ADA.id)) == (tuple(kept), Standing(NOON, shared=False))


def test_a_backup_without_keys_has_no_looks_and_a_restore_of_it_leaves_those_that_are_there(home, keeping, tmp_path):
    kept = keep(keeping, 2)
    keeping.share(ADA.id, on=True)
    done(home, "backup", home / "backup")
    done(home, "restore", home / "backup")
    assert (keeping.looks(ADA.id), keeping.standing(ADA.id)) == (tuple(kept), Standing(NOON, shared=True))
    configure(tmp_path / "fresh")
    done(tmp_path / "fresh", "restore", home / "backup")
    assert keeping_of(tmp_path / "fresh").looks(ADA.id) == ()


def test_looks_go_with_their_person(home, keeping):
    keep(keeping, 1)
    done(home, "users", "remove", ADA.email, "--yes")
    assert (keeping.standing(ADA.id), keeping.looks(ADA.id)) == (Standing(None, shared=False), ())


def test_erasing_everything_erases_looks(home, keeping):
    keep(keeping, 1)
    done(home, "erase", "--yes")
    assert not (data_folder(home) / DATABASE).exists()
