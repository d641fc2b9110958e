"""Signing in and out, as a household does it."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from clocks import MovedClock
from people import NOON

from moodify.accounts import export
from moodify.accounts.accounts import Accounts, NewUser
from moodify.accounts.managing import INVITATIONS_AT_MOST, TERMINAL
from moodify.accounts.memory import MemoryAccounts
from moodify.accounts.passwords import Hasher
from moodify.accounts.preferences import Preferences
from moodify.accounts.session import SESSIONS_AT_MOST
from moodify.accounts.user import Role
from moodify.errors import AccountError, EmailTaken, NoSuchUser, NotPermitted, NotSignedIn, StoreBusy, TooManyTries, WrongSignIn

FIRST, SECOND = "plover granite evening 47", "winter kettle harbour 9"
ADA = NewUser("Ada@example.org", "Ada", FIRST, "Lovelace")
BO = NewUser("bo@example.org", "Bo", SECOND)
HASHER = Hasher(memory_kib=64, passes=1)


def an_accounts(kept, clock, *, hasher=HASHER, key=bytes(32), audience="moodify-page:m-test"):
    return Accounts(kept, hasher, key, audience=audience, clock=clock)


@pytest.fixture
def clock():
    return MovedClock()


@pytest.fixture
def places():
    return MemoryAccounts()


@pytest.fixture
def accounts(places, clock):
    return an_accounts(places, clock)


@pytest.fixture
def ada(accounts):
    return accounts.claim(accounts.make_claim_code(), ADA, "Firefox on Linux")


@pytest.fixture
def bo(accounts, clock, ada):
    clock.pass_by(seconds=1)
    code, _ = accounts.invite(ada.user.id, "Bo")
    return accounts.claim(code, BO, "Safari on iPhone")


def guess(accounts, times=1, email="ada@example.org"):
    for _ in range(times):
        with pytest.raises(WrongSignIn):
            accounts.sign_in(email, "a wrong password", "x")


def signed_in(accounts, token):
    try:
        return accounts.who(token).user.email
    except NotSignedIn:
        return None


# Claiming


def test_who_has_the_claim_code_becomes_the_owner_and_is_signed_in(accounts, clock):
    assert accounts.claimable
    given = accounts.claim(accounts.make_claim_code(), ADA, "Firefox on Linux")
    assert (given.user.email, given.user.name, given.user.role, given.user.last_sign_in_at) == ("ada@example.org", "Ada Lovelace", Role.OWNER, NOON)
    assert (given.access_expires, given.refresh_expires) == (NOON + timedelta(minutes=10), NOON + timedelta(days=30))
    assert accounts.who(given.access_token).user == given.user
    assert not accounts.claimable
    with pytest.raises(NotPermitted, match="there is an owner already"):
        accounts.make_claim_code()


@pytest.mark.parametrize("spoil", [str.lower, lambda code: code.replace("-", ""), lambda code: f" {code[:2]} {code[2:]} "])
def test_a_code_is_right_however_it_is_typed(accounts, spoil):
    assert accounts.claim(spoil(accounts.make_claim_code()), ADA, "x").user.role is Role.OWNER


def test_a_code_is_readable_and_never_the_same(accounts):
    codes = {accounts.make_claim_code() for _ in range(50)}
    assert len(codes) == 50
    assert all(len(code) == 9 and code[4] == "-" and not set(code) & set("01ILOU") for code in codes)


def test_codes_and_tokens_are_nowhere_kept(accounts, places, ada):
    code, _ = accounts.invite(ada.user.id, "Bo")
    kept = repr((places.codes()[0].hash, places.session(ada.session_id).token_hash, places.password_hash(ada.user.id)))
    assert all(secret not in kept for secret in (code, code.replace("-", ""), ada.refresh_token, ada.access_token, FIRST))
    assert all(secret not in repr((ada, ADA)) for secret in (ada.refresh_token, ada.access_token, FIRST))


def test_the_claim_code_works_once(accounts):
    code = accounts.make_claim_code()
    accounts.claim(code, ADA, "x")
    with pytest.raises(WrongSignIn, match="not good any more"):
        accounts.claim(code, BO, "x")


def test_of_two_who_claim_at_once_one_becomes_the_owner(accounts, places):
    code, ready = accounts.make_claim_code(), threading.Barrier(4)

    def claim(number):
        ready.wait()
        try:
            return accounts.claim(code, replace(ADA, email=f"u{number}@example.org"), "x").user.email
        except (WrongSignIn, NotPermitted, TooManyTries):
            return None

    with ThreadPoolExecutor(4) as threads:
        owners = [email for email in threads.map(claim, range(4)) if email]
    assert owners == [user.email for user in places.everybody()]
    assert len(owners) == 1


def test_wrong_codes_make_wait_a_little_and_the_right_one_still_works(accounts, clock):
    code = accounts.make_claim_code()
    for _ in range(3):
        with pytest.raises(WrongSignIn, match="this code is not right"):
            accounts.claim("AAAA-AAAA", ADA, "x")
    with pytest.raises(TooManyTries, match="wait 2 seconds") as told:
        accounts.claim(code, ADA, "x")
    assert told.value.retry_after_s == 2
    for _ in range(20):
        clock.pass_by(seconds=30)
        with pytest.raises(WrongSignIn):
            accounts.claim("AAAA-AAAA", ADA, "x")
    clock.pass_by(seconds=30)
    assert accounts.claim(code, ADA, "x").user.role is Role.OWNER


def test_without_code_or_button_nobody_claims(accounts):
    with pytest.raises(NotPermitted, match="after the button was held"):
        accounts.claim(None, ADA, "x")
    accounts.open_window()
    assert accounts.claim(None, ADA, "x").user.role is Role.OWNER
    accounts.open_window()
    with pytest.raises(NotPermitted, match="has an owner already"):
        accounts.claim(None, BO, "x")


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (replace(ADA, email="ada"), "write it like ada@example"),
        (replace(ADA, first_name="42"), "a name has"),
        (replace(ADA, password="short"), "at least 10"),
        (replace(ADA, password="ada@example.org"), "your name or e-mail"),
    ],
)
def test_a_claim_that_can_not_be_says_why_and_spends_neither_code_nor_window(accounts, new, said):
    code = accounts.make_claim_code()
    accounts.open_window()
    for attempt in (code, None):
        with pytest.raises(AccountError, match=said):
            accounts.claim(attempt, new, "x")
    assert accounts.claimable
    assert accounts.window_left_s
    assert accounts.claim(code, ADA, "x").user.role is Role.OWNER


# Signing in


def test_who_knows_the_password_is_signed_in(accounts, clock, ada):
    clock.pass_by(hours=1)
    given = accounts.sign_in(" ADA@Example.org", FIRST, "Safari on\niPhone\x00" + "x" * 100)
    assert given.user.last_sign_in_at == NOON + timedelta(hours=1)
    newest, older = accounts.sessions(given.user.id)
    assert (newest.id, older.id) == (given.session_id, ada.session_id)
    assert newest.label.startswith("Safari on iPhone x")
    assert len(newest.label) == 80


def test_wrong_password_unknown_address_and_inactive_account_are_told_alike(accounts, ada, bo):
    accounts.change_user(ada.user.id, bo.user.id, active=False)
    said = set()
    for email, password in (("ada@example.org", SECOND), ("eve@example.org", FIRST), ("nonsense", FIRST), ("bo@example.org", SECOND)):
        with pytest.raises(WrongSignIn) as told:
            accounts.sign_in(email, password, "x")
        said.add(str(told.value))
    assert len(said) == 1


@pytest.mark.parametrize("email", ["ada@example.org", "eve@example.org"])
def test_guesses_wait_longer_and_longer_whether_the_address_is_known_or_not(accounts, clock, ada, email):
    guess(accounts, 3, email)
    waits = []
    for _ in range(12):
        with pytest.raises(TooManyTries, match="and try again") as told:
            accounts.sign_in(email, FIRST, "x")
        waits.append(told.value.retry_after_s)
        clock.pass_by(seconds=waits[-1])
        guess(accounts, 1, email)
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]


def test_a_success_forgets_what_was_wrong_before(accounts, clock, ada):
    guess(accounts, 3)
    clock.pass_by(seconds=2)
    accounts.sign_in("ada@example.org", FIRST, "x")
    guess(accounts, 3)


def test_guesses_at_once_are_not_more_than_guesses_in_a_row(accounts, places, ada):
    ready = threading.Barrier(8)

    def try_it(_):
        ready.wait()
        try:
            accounts.sign_in("ada@example.org", "a wrong password", "x")
        except (WrongSignIn, TooManyTries) as error:
            return type(error)

    with ThreadPoolExecutor(8) as threads:
        told = list(threads.map(try_it, range(8)))
    assert told.count(WrongSignIn) == 3
    assert places.tries(ada.user.id).failures == 3


def test_who_is_signed_in_stays_so_while_others_guess(accounts, ada):
    guess(accounts, 3)
    assert signed_in(accounts, accounts.refresh(ada.refresh_token).access_token) == "ada@example.org"


def test_a_hash_of_other_figures_is_renewed_at_the_next_sign_in(places, clock, accounts, ada):
    stronger = Hasher(memory_kib=128, passes=1)
    newer = an_accounts(places, clock, hasher=stronger)
    newer.sign_in("ada@example.org", FIRST, "x")
    assert not stronger.needs_rehash(places.password_hash(ada.user.id))
    assert newer.refresh(ada.refresh_token)
    newer.sign_in("ada@example.org", FIRST, "x")


def test_the_least_used_session_ends_for_one_too_many(accounts, clock, ada):
    for _ in range(SESSIONS_AT_MOST):
        clock.pass_by(seconds=1)
        accounts.sign_in("ada@example.org", FIRST, "x")
    assert len(accounts.sessions(ada.user.id)) == SESSIONS_AT_MOST
    assert signed_in(accounts, ada.access_token) is None


# Renewing


def test_a_renewal_gives_new_tokens_and_thirty_days_more(accounts, clock, ada):
    clock.pass_by(days=29)
    assert signed_in(accounts, ada.access_token) is None
    given = accounts.refresh(ada.refresh_token)
    assert given.session_id == ada.session_id
    assert given.refresh_token != ada.refresh_token
    assert given.refresh_expires == NOON + timedelta(days=59)
    assert signed_in(accounts, given.access_token) == "ada@example.org"
    (session,) = accounts.sessions(ada.user.id)
    assert (session.life.began, session.life.used) == (NOON, NOON + timedelta(days=29))


def test_a_session_that_nobody_used_for_thirty_days_is_over(accounts, clock, ada):
    clock.pass_by(days=30)
    with pytest.raises(NotSignedIn):
        accounts.refresh(ada.refresh_token)
    assert accounts.sessions(ada.user.id) == ()


def test_two_tabs_that_renew_at_once_are_given_the_same(accounts, ada):
    ready = threading.Barrier(6)

    def renew(_):
        ready.wait()
        return accounts.refresh(ada.refresh_token)

    with ThreadPoolExecutor(6) as threads:
        given = list(threads.map(renew, range(6)))
    assert len({each.refresh_token for each in given}) == 1
    assert accounts.refresh(given[0].refresh_token)


def test_a_browser_that_lost_the_answer_may_ask_again_within_ten_seconds(accounts, clock, ada):
    given = accounts.refresh(ada.refresh_token)
    clock.pass_by(seconds=10)
    assert accounts.refresh(ada.refresh_token).refresh_token == given.refresh_token


def test_a_token_that_was_used_before_ends_the_session(accounts, clock, ada):
    given = accounts.refresh(ada.refresh_token)
    clock.pass_by(seconds=11)
    with pytest.raises(NotSignedIn):
        accounts.refresh(ada.refresh_token)
    with pytest.raises(NotSignedIn):
        accounts.refresh(given.refresh_token)
    assert signed_in(accounts, given.access_token) is None
    assert accounts.sessions(ada.user.id) == ()


def test_a_token_of_many_renewals_ago_ends_the_session_too(accounts, ada):
    token = ada.refresh_token
    for _ in range(3):
        token = accounts.refresh(token).refresh_token
    with pytest.raises(NotSignedIn):
        accounts.refresh(ada.refresh_token)
    assert accounts.sessions(ada.user.id) == ()


@pytest.mark.parametrize(
    "spoil", [lambda token: "", lambda token: "x", lambda token: token[:-4] + "AAAA", lambda token: "A" * 86, lambda token: token * 100, lambda token: token + "é"]
)
def test_a_token_that_was_never_ours_ends_nothing(accounts, ada, spoil):
    with pytest.raises(NotSignedIn):
        accounts.refresh(spoil(ada.refresh_token))
    assert accounts.refresh(ada.refresh_token)


def test_tokens_of_another_service_or_key_are_none(places, clock, accounts, ada):
    for other in (an_accounts(places, clock, audience="moodify-hub"), an_accounts(places, clock, key=bytes(31) + b"\x01")):
        assert signed_in(other, ada.access_token) is None
        with pytest.raises(NotSignedIn):
            other.refresh(ada.refresh_token)
    assert accounts.refresh(ada.refresh_token)


def test_sessions_outlast_a_restart_of_the_service(places, clock, ada):
    again = an_accounts(places, clock)
    assert signed_in(again, ada.access_token) == "ada@example.org"
    assert again.refresh(ada.refresh_token)


def test_a_renewal_while_the_store_is_busy_may_be_asked_for_again(places, accounts, ada):
    places.jam()
    with pytest.raises(StoreBusy):
        accounts.refresh(ada.refresh_token)
    places.free()
    assert accounts.refresh(ada.refresh_token)


# Ending


def test_a_session_that_is_ended_is_over_at_once(accounts, ada):
    assert signed_in(accounts, ada.access_token) == "ada@example.org"
    assert accounts.end_session(ada.user.id, ada.session_id)
    assert signed_in(accounts, ada.access_token) is None
    assert not accounts.end_session(ada.user.id, ada.session_id)


def test_nobody_ends_the_session_of_another(accounts, ada, bo):
    assert not accounts.end_session(bo.user.id, ada.session_id)
    assert signed_in(accounts, ada.access_token) == "ada@example.org"


def test_signing_out_everywhere_spares_this_browser_alone(accounts, ada, bo):
    other = accounts.sign_in("ada@example.org", FIRST, "x")
    assert accounts.end_all(ada.user.id, but=other.session_id) == 1
    assert [signed_in(accounts, given.access_token) for given in (ada, other, bo)] == [None, "ada@example.org", "bo@example.org"]


def test_what_another_process_ends_is_noticed_in_two_seconds(places, clock, accounts, ada):
    assert signed_in(accounts, ada.access_token)
    an_accounts(places, clock).end_all(ada.user.id)
    assert signed_in(accounts, ada.access_token)
    clock.pass_by(seconds=2.1)
    assert signed_in(accounts, ada.access_token) is None


# Passwords


def test_a_new_password_needs_the_old_one_and_ends_other_sessions(accounts, ada):
    other = accounts.sign_in("ada@example.org", FIRST, "x")
    with pytest.raises(WrongSignIn, match="this password is not right"):
        accounts.change_password(ada.user.id, SECOND, SECOND)
    with pytest.raises(AccountError, match="at least 10"):
        accounts.change_password(ada.user.id, FIRST, "short")
    accounts.change_password(ada.user.id, FIRST, SECOND, keep=ada.session_id)
    assert [signed_in(accounts, given.access_token) for given in (ada, other)] == ["ada@example.org", None]
    guess(accounts)
    assert accounts.sign_in("ada@example.org", SECOND, "x")


def test_whoever_guesses_elsewhere_locks_nobody_out_of_a_browser_that_is_known(accounts, ada, clock):
    guess(accounts, 3)
    with pytest.raises(TooManyTries):
        accounts.sign_in("ada@example.org", FIRST, "x")
    known = accounts.sign_in("ada@example.org", FIRST, "x", browser=ada.browser_token)
    assert known.user.id == ada.user.id
    assert known.browser_token not in {None, ada.browser_token}


def test_a_known_browser_is_no_way_to_guess(accounts, ada, clock):
    for _ in range(3):
        with pytest.raises(WrongSignIn):
            accounts.sign_in("ada@example.org", SECOND, "x", browser=ada.browser_token)
    with pytest.raises(TooManyTries):
        accounts.sign_in("ada@example.org", FIRST, "x", browser=ada.browser_token)
    # What is wrong there keeps nobody else waiting.
    assert accounts.sign_in("ada@example.org", FIRST, "x")


def test_a_browser_is_known_for_whom_it_signed_in_and_lets_nobody_in(accounts, ada, bo):
    guess(accounts, 3)
    for browser in (bo.browser_token, ada.refresh_token, ada.access_token, "x", ""):
        with pytest.raises(TooManyTries):
            accounts.sign_in("ada@example.org", FIRST, "x", browser=browser)
    for call in (accounts.who, accounts.refresh):
        with pytest.raises(NotSignedIn):
            call(ada.browser_token)
    assert accounts.refresh(ada.refresh_token).browser_token is None


def test_whoever_guesses_from_outside_keeps_nobody_who_is_signed_in_from_confirming(accounts, ada):
    guess(accounts, 3)
    with pytest.raises(TooManyTries):
        accounts.sign_in("ada@example.org", FIRST, "x")
    accounts.confirm_password(ada.user.id, FIRST)


def test_confirming_a_password_is_no_way_to_guess_it(accounts, ada):
    accounts.confirm_password(ada.user.id, FIRST)
    for _ in range(3):
        with pytest.raises(WrongSignIn):
            accounts.confirm_password(ada.user.id, SECOND)
    with pytest.raises(TooManyTries):
        accounts.confirm_password(ada.user.id, FIRST)


def test_whoever_held_the_button_sets_an_owners_password_once(accounts, ada):
    with pytest.raises(NotPermitted, match="hold it until its light winks white"):
        accounts.reset("ada@example.org", SECOND)
    accounts.open_window()
    accounts.reset("Ada@Example.org", SECOND)
    assert signed_in(accounts, ada.access_token) is None
    assert accounts.sign_in("ada@example.org", SECOND, "x")
    with pytest.raises(NotPermitted):
        accounts.reset("ada@example.org", FIRST)


def test_a_reset_frees_an_owner_who_is_locked_out(accounts, ada):
    guess(accounts, 3)
    accounts.open_window()
    accounts.reset("ada@example.org", SECOND)
    assert accounts.sign_in("ada@example.org", SECOND, "x")


def test_the_window_shuts_by_itself_and_no_setting_of_the_clock_keeps_it_open(accounts, clock, ada):
    accounts.open_window()
    clock.set_by(days=-10_000)
    assert accounts.window_left_s == 300
    clock.pass_by(seconds=300)
    assert accounts.window_left_s == 0
    with pytest.raises(NotPermitted):
        accounts.reset("ada@example.org", SECOND)


@pytest.mark.parametrize("email", ["bo@example.org", "eve@example.org", "nonsense"])
def test_a_reset_is_for_owners_and_a_wrong_address_leaves_the_window_open(accounts, ada, bo, email):
    accounts.open_window()
    for _ in range(3):
        with pytest.raises(WrongSignIn, match="no owner has this address"):
            accounts.reset(email, SECOND)
    with pytest.raises(TooManyTries):
        accounts.reset("ada@example.org", SECOND)
    assert accounts.window_left_s


def test_a_reset_while_the_store_is_busy_leaves_the_window_open(accounts, places, ada):
    accounts.open_window()
    places.jam()
    with pytest.raises(StoreBusy):
        accounts.reset("ada@example.org", SECOND)
    places.free()
    accounts.reset("ada@example.org", SECOND)


# People


def test_who_is_invited_comes_in_once_as_was_said(accounts, ada):
    code, invitation = accounts.invite(ada.user.id, " Bo ", Role.OWNER)
    assert (invitation.first_name, invitation.made_by, invitation.life.ends) == ("Bo", ada.user.id, NOON + timedelta(days=7))
    assert accounts.invitations(ada.user.id) == (invitation,)
    assert accounts.claim(code, BO, "x").user.role is Role.OWNER
    assert accounts.invitations(ada.user.id) == ()
    with pytest.raises(WrongSignIn):
        accounts.claim(code, replace(BO, email="cy@example.org"), "x")


def test_an_invitation_with_an_address_that_is_taken_can_be_used_again(accounts, ada):
    code, _ = accounts.invite(ada.user.id, "Bo")
    with pytest.raises(EmailTaken):
        accounts.claim(code, replace(BO, email="ada@example.org"), "x")
    assert accounts.claim(code, BO, "x")


def test_an_invitation_ends_after_a_week_with_its_withdrawal_and_with_who_made_it(accounts, clock, ada, bo):
    accounts.change_user(ada.user.id, bo.user.id, role=Role.OWNER)
    withdrawn, of_bo, old = (accounts.invite(by, "Cy") for by in (ada.user.id, bo.user.id, ada.user.id))
    assert accounts.withdraw(ada.user.id, withdrawn[1].id)
    accounts.change_user(ada.user.id, bo.user.id, role=Role.MEMBER)
    assert accounts.invitations(ada.user.id) == (old[1],)
    clock.pass_by(days=7, seconds=1)
    for code, _ in (withdrawn, of_bo, old):
        with pytest.raises(WrongSignIn):
            accounts.claim(code, replace(BO, email="cy@example.org"), "x")


def test_invitations_do_not_pile_up(accounts, clock, ada):
    for number in range(INVITATIONS_AT_MOST):
        accounts.invite(ada.user.id, f"Guest {number}")
    with pytest.raises(NotPermitted, match="withdraw some first"):
        accounts.invite(ada.user.id, "One more")
    clock.pass_by(days=8)
    accounts.invite(ada.user.id, "One more")


@pytest.mark.parametrize(
    "call",
    [
        lambda accounts, by, of: accounts.users(by),
        lambda accounts, by, of: accounts.invite(by, "Cy"),
        lambda accounts, by, of: accounts.invitations(by),
        lambda accounts, by, of: accounts.withdraw(by, of),
        lambda accounts, by, of: accounts.change_user(by, of, role=Role.MEMBER),
        lambda accounts, by, of: accounts.change_user(by, by, role=Role.OWNER),
        lambda accounts, by, of: accounts.remove_user(by, of),
    ],
)
def test_a_member_manages_nobody(accounts, places, ada, bo, call):
    before = places.everybody(), places.codes()
    with pytest.raises(NotPermitted, match="only an owner"):
        call(accounts, bo.user.id, ada.user.id)
    assert (places.everybody(), places.codes()) == before


def test_what_an_owner_changes_holds_at_once(accounts, ada, bo):
    assert accounts.who(bo.access_token).user.role is Role.MEMBER
    accounts.change_user(ada.user.id, bo.user.id, role=Role.OWNER)
    assert accounts.who(bo.access_token).user.role is Role.OWNER
    accounts.change_user(ada.user.id, bo.user.id, active=False)
    assert signed_in(accounts, bo.access_token) is None
    with pytest.raises(NotSignedIn):
        accounts.refresh(bo.refresh_token)
    with pytest.raises(NotPermitted):
        accounts.users(bo.user.id)


def test_the_terminal_needs_nobodys_leave_and_still_leaves_an_owner(accounts, ada, bo):
    assert [user.email for user in accounts.users(TERMINAL)] == ["ada@example.org", "bo@example.org"]
    with pytest.raises(AccountError, match="the only owner"):
        accounts.remove_user(TERMINAL, ada.user.id)
    accounts.remove_user(TERMINAL, bo.user.id)
    assert signed_in(accounts, bo.access_token) is None


def test_a_member_may_erase_themselves_and_the_address_is_free_again(accounts, ada, bo):
    accounts.remove_user(bo.user.id, bo.user.id)
    assert signed_in(accounts, bo.access_token) is None
    assert accounts.claim(accounts.invite(ada.user.id, "Bo")[0], BO, "x").user.id != bo.user.id


def test_people_change_what_is_theirs_and_no_more(accounts, clock, ada):
    clock.pass_by(minutes=5)
    changed = accounts.update_me(ada.user.id, last_name="King", preferences=Preferences(volume_cap=40), age=36)
    assert (changed.last_name, changed.preferences.volume_cap, changed.updated_at) == ("King", 40, NOON + timedelta(minutes=5))
    assert accounts.who(ada.access_token).user == changed
    with pytest.raises(NotPermitted, match="role can't be changed here"):
        accounts.update_me(ada.user.id, role=Role.OWNER)
    with pytest.raises(AccountError, match="from 1 to 120"):
        accounts.update_me(ada.user.id, age=0)


# Exporting


def test_an_export_says_all_that_is_known_of_a_person_and_nothing_secret(accounts, places, ada, bo):
    accounts.update_me(ada.user.id, preferences=Preferences(goal="lift"))
    code, _ = accounts.invite(ada.user.id, "Cy")
    said = accounts.export(ada.user.id)
    assert said["preferences"] == {"goal": "lift"}
    assert [session["browser"] for session in said["sessions"]] == ["Firefox on Linux"]
    assert [each["first_name"] for each in said["invited"]] == ["Cy"]
    assert [each["email"] for each in export.everybody(places)] == ["ada@example.org", "bo@example.org"]
    text = repr(export.everybody(places))
    assert all(secret not in text for secret in ("argon2", code, ada.refresh_token, places.session(ada.session_id).token_hash.hex()))


def test_nothing_is_exported_of_who_is_gone(accounts, places, ada, bo):
    accounts.remove_user(ada.user.id, bo.user.id)
    with pytest.raises(NoSuchUser):
        accounts.export(bo.user.id)
    assert "bo@example.org" not in repr(export.everybody(places))
