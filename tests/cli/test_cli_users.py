"""``moodify users``: with and without an appliance that runs, and for a hub."""

import json

import pytest

from appliance import Appliance, configure, data_folder, moodify
from moodify.accounts.accounts import Accounts, NewUser
from moodify.accounts.key import FILE, load_key
from moodify.accounts.passwords import Hasher
from moodify.accounts.tables import TableAccounts
from moodify.accounts.user import Role
from moodify.errors import NotSignedIn, WrongSignIn
from moodify.hub.database import open_database
from moodify.store.accounts import AccountTransactions
from terminals import typed

FIRST, SECOND = "plover granite evening 47", "winter kettle harbour 9"


def said(home, *arguments, code=0, **options):
    done = moodify(home, "users", *arguments, **options)
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


def listed(home, *arguments):
    return json.loads(said(home, "list", "--json", *arguments))


@pytest.fixture
def accounts(tmp_path):
    """The accounts that an appliance of this home has, as the page would open them."""
    configure(tmp_path)
    said(tmp_path, "code")
    folder = data_folder(tmp_path)
    with AccountTransactions(folder / "moodify.db") as transactions:
        yield Accounts(TableAccounts(transactions), Hasher(memory_kib=64, passes=1), load_key(folder / FILE), audience="moodify-page:test")


@pytest.fixture
def ada(accounts):
    return accounts.claim(accounts.make_claim_code(), NewUser("ada@example.org", "Ada", FIRST, "Lovelace"), "Firefox on Linux")


def test_nobody_is_said_and_nothing_is_made(tmp_path):
    configure(tmp_path)
    assert said(tmp_path, "list").startswith("Nobody has an account yet.")
    assert listed(tmp_path) == {"users": [], "invitations": []}
    assert not data_folder(tmp_path).exists()


def test_a_code_makes_an_owner_once_and_the_newest_alone(tmp_path, accounts):
    older, newer = (said(tmp_path, "code").split()[0] for _ in range(2))
    with pytest.raises(WrongSignIn):
        accounts.claim(older, NewUser("eve@example.org", "Eve", FIRST), "x")
    assert accounts.claim(newer, NewUser("ada@example.org", "Ada", FIRST), "x").user.role is Role.OWNER
    assert "there is an owner already" in said(tmp_path, "code", code=1)


def test_an_invitation_lets_somebody_in(tmp_path, accounts, ada):
    code = said(tmp_path, "invite", " Bo ", "--owner").split()[0]
    (invitation,) = listed(tmp_path)["invitations"]
    assert (invitation["first_name"], invitation["role"]) == ("Bo", "owner")
    assert "Invited: Bo, as owner" in said(tmp_path, "list")
    assert accounts.claim(code, NewUser("bo@example.org", "Bo", SECOND), "x").user.role is Role.OWNER
    assert listed(tmp_path)["invitations"] == []
    assert "a name has at least one letter" in said(tmp_path, "invite", "42", code=2)


def test_the_list_says_who_and_how_many_browsers(tmp_path, accounts, ada):
    accounts.sign_in("ada@example.org", FIRST, "y")
    (row,) = listed(tmp_path)["users"]
    assert (row["email"], row["role"], row["active"], row["sessions"]) == ("ada@example.org", "owner", True, 2)
    line = said(tmp_path, "list").splitlines()[1]
    assert line.startswith("ada@example.org  Ada Lovelace  owner  ")
    assert "argon2" not in said(tmp_path, "list", "--json")


def test_a_reset_sets_the_password_and_ends_what_was_signed_in(tmp_path, accounts, ada):
    for _ in range(3):
        with pytest.raises(WrongSignIn):
            accounts.sign_in("ada@example.org", "a wrong guess", "x")
    out = said(tmp_path, "reset", "ADA@example.org", stdin=None, input=f"{SECOND}\n")
    assert out == "Ada Lovelace (ada@example.org) has a new password, may sign in at once, and is signed out everywhere.\n"
    with pytest.raises(NotSignedIn):
        accounts.refresh(ada.refresh_token)
    assert accounts.sign_in("ada@example.org", SECOND, "x").user.id == ada.user.id


def test_a_reset_without_a_password_a_weak_one_or_nobody_says_what_to_do(tmp_path, ada):
    assert "give the new password as a line" in said(tmp_path, "reset", "ada@example.org", code=1)
    assert "make it at least 10" in said(tmp_path, "reset", "ada@example.org", code=2, stdin=None, input="short\n")
    assert "nobody has an account with bo@example.org; moodify users list" in said(tmp_path, "reset", "bo@example.org", code=2)


def test_who_may_not_sign_in_may_again_after_a_reset(tmp_path, accounts, ada):
    bo = accounts.claim(accounts.invite(ada.user.id, "Bo")[0], NewUser("bo@example.org", "Bo", SECOND), "x").user
    accounts.change_user(ada.user.id, bo.id, active=False)
    assert "member, may not sign in" in said(tmp_path, "list")
    said(tmp_path, "reset", "bo@example.org", stdin=None, input=f"{FIRST}\n")
    assert accounts.sign_in("bo@example.org", FIRST, "x").user.active


def test_the_last_owner_is_not_removed_and_others_are_after_a_question(tmp_path, accounts, ada):
    accounts.claim(accounts.invite(ada.user.id, "Bo")[0], NewUser("bo@example.org", "Bo", SECOND), "x")
    assert "this is the only owner" in said(tmp_path, "remove", "ada@example.org", "--yes", code=2)
    assert "nobody could be asked; add --yes" in said(tmp_path, "remove", "bo@example.org", code=1)
    out, code = typed(tmp_path, "no", "users", "remove", "bo@example.org")
    assert (code, "Nothing was changed." in out) == (1, True)
    out, code = typed(tmp_path, "remove", "users", "remove", "bo@example.org")
    assert (code, "is erased" in out) == (0, True)
    assert [user["email"] for user in listed(tmp_path)["users"]] == ["ada@example.org"]


def test_the_accounts_of_a_hub_are_its_own(tmp_path):
    hub = tmp_path / "hub"
    assert moodify(tmp_path, "hub", "init", "--folder", hub).returncode == 0
    code = said(tmp_path, "code", "--hub", hub).split()[0]
    with open_database(hub / "hub.db") as database:
        accounts = Accounts(TableAccounts(database.accounts), Hasher(memory_kib=64, passes=1), load_key(hub / FILE), audience="moodify-hub")
        accounts.claim(code, NewUser("ada@example.org", "Ada", FIRST), "x")
    assert [user["email"] for user in listed(tmp_path, "--hub", hub)["users"]] == ["ada@example.org"]
    assert listed(tmp_path)["users"] == []


def test_a_folder_without_a_hub_says_so(tmp_path):
    assert "moodify hub init" in said(tmp_path, "list", "--hub", tmp_path / "none", code=1)


@pytest.mark.slow
def test_it_works_while_the_appliance_runs(tmp_path):
    with Appliance(tmp_path, "--camera", "sample", "--speaker", "simulated") as appliance:
        appliance.wait_for("presence", present=True)
        assert said(tmp_path, "invite", "Bo")
        assert [code["first_name"] for code in listed(tmp_path)["invitations"]] == ["Bo"]
