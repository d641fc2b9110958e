"""What every implementation of the port ``Kept`` does with sessions and codes."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from people import NOON, a_user

from moodify.accounts.codes import Code, Purpose
from moodify.accounts.preferences import Preferences
from moodify.accounts.session import Life, Session, new_life
from moodify.accounts.user import Role, SkinType
from moodify.errors import AccountError, NotPermitted, WrongSignIn

LATER = NOON + timedelta(hours=1)


def a_session(user, *, at=NOON, **fields):
    return Session(**{"id": uuid4(), "user_id": user.id, "label": "Firefox on Linux", "life": new_life(at), "token_hash": bytes(range(32))} | fields)


def a_code(purpose=Purpose.INVITATION, *, at=NOON, **fields):
    life = Life(at, at, at + timedelta(days=7))
    return Code(**{"id": uuid4(), "purpose": purpose, "role": Role.MEMBER, "first_name": "Bo", "made_by": None, "life": life, "hash": bytes(32)} | fields)


@pytest.fixture
def ada(kept):
    user = a_user(role=Role.OWNER)
    kept.add(user, "hash of ada")
    return user


@pytest.fixture
def bo(kept):
    user = a_user("bo@example.org", "Bo", "")
    kept.add(user, "hash of bo")
    return user


def test_a_session_is_found_as_it_began(kept, ada):
    session = a_session(ada, label='"Ünder" \N{SNOWMAN}')
    assert kept.begin(session, "hash of ada")
    assert kept.session(session.id) == session
    assert kept.sessions_of(ada.id) == (session,)


def test_a_beginning_notes_the_sign_in_and_forgets_failures(kept, ada):
    kept.count_failure(ada.id, NOON)
    kept.begin(a_session(ada, at=LATER), "hash of ada")
    assert kept.by_id(ada.id).last_sign_in_at == LATER
    assert kept.tries(ada.id).failures == 0


def test_a_password_that_was_changed_meanwhile_begins_nothing(kept, ada):
    kept.set_password_hash(ada.id, "newer")
    session = a_session(ada)
    assert not kept.begin(session, "hash of ada")
    assert kept.session(session.id) is None
    assert kept.by_id(ada.id).last_sign_in_at is None


def test_nobody_who_is_gone_or_not_active_begins_anything(kept, ada, bo):
    kept.change(bo.id, lambda user: replace(user, active=False))
    assert not kept.begin(a_session(bo), "hash of bo")
    assert not kept.begin(a_session(a_user("cy@example.org")), "hash")
    assert kept.sessions_of(bo.id) == ()


def test_sessions_come_in_the_order_of_their_last_use(kept, ada):
    older, newer, newest = (a_session(ada, at=NOON + timedelta(minutes=minutes)) for minutes in (0, 1, 2))
    for session in (newer, older, newest):
        kept.begin(session, "hash of ada")
    assert kept.sessions_of(ada.id) == (newest, newer, older)


def test_a_session_is_renewed_once_from_what_it_was(kept, ada):
    session = a_session(ada)
    kept.begin(session, "hash of ada")
    renewed = replace(session, life=session.life.used_at(LATER), token_hash=b"\x01" * 32)
    assert kept.renew(session, renewed)
    assert kept.session(session.id) == renewed
    assert not kept.renew(session, replace(session, token_hash=b"\x02" * 32))
    assert kept.session(session.id) == renewed


def test_a_session_that_ended_is_not_renewed(kept, ada):
    session = a_session(ada)
    kept.begin(session, "hash of ada")
    kept.end(session.id)
    kept.end(session.id)
    assert not kept.renew(session, session)
    assert kept.session(session.id) is None


def test_of_many_renewals_at_once_one_is_done(opening):
    places = [opening(), opening()]
    ada = a_user(role=Role.OWNER)
    places[0].add(ada, "hash of ada")
    session = a_session(ada)
    places[0].begin(session, "hash of ada")
    ready = threading.Barrier(6)

    def renew(number):
        ready.wait()
        return places[number % 2].renew(session, replace(session, token_hash=bytes([number]) * 32))

    with ThreadPoolExecutor(6) as threads:
        done = list(threads.map(renew, range(6)))
    assert sum(done) == 1
    assert places[1].session(session.id).token_hash == bytes([done.index(True)]) * 32


def test_all_of_one_user_end_but_one(kept, ada, bo):
    mine, other, bos = a_session(ada), a_session(ada), a_session(bo)
    for session, password_hash in ((mine, "hash of ada"), (other, "hash of ada"), (bos, "hash of bo")):
        kept.begin(session, password_hash)
    assert kept.end_all(ada.id, but=mine.id) == 1
    assert kept.sessions_of(ada.id) == (mine,)
    assert kept.end_all(ada.id) == 1
    assert kept.sessions_of(bo.id) == (bos,)


def test_a_new_password_ends_all_sessions_but_one_and_forgets_failures(kept, ada):
    mine, other = a_session(ada), a_session(ada)
    for session in (mine, other):
        kept.begin(session, "hash of ada")
    kept.count_failure(ada.id, NOON)
    kept.set_password_hash(ada.id, "newer", keep=mine.id)
    assert kept.sessions_of(ada.id) == (mine,)
    assert kept.tries(ada.id).failures == 0


def test_another_hash_of_the_same_password_ends_nothing(kept, ada):
    session = a_session(ada)
    kept.begin(session, "hash of ada")
    kept.rehash(ada.id, "hash of ada", "stronger")
    kept.rehash(ada.id, "hash of ada", "of a lost race")
    kept.rehash(uuid4(), "hash of ada", "of nobody")
    assert kept.password_hash(ada.id) == "stronger"
    assert kept.sessions_of(ada.id) == (session,)


def test_who_is_not_active_any_more_has_no_sessions(kept, ada, bo):
    kept.begin(a_session(bo), "hash of bo")
    kept.change(bo.id, lambda user: replace(user, active=False))
    assert kept.sessions_of(bo.id) == ()


def test_what_is_over_is_forgotten(kept, ada):
    old, young = a_session(ada), a_session(ada, at=LATER)
    old_code, young_code = (a_code(life=session.life) for session in (old, young))
    for session, code in ((old, old_code), (young, young_code)):
        kept.begin(session, "hash of ada")
        kept.add_code(code)
    assert kept.end_old(old.life.ends) == 0
    assert kept.codes() == (old_code, young_code)
    assert kept.end_old(old.life.ends + timedelta(microseconds=1)) == 1
    assert kept.sessions_of(ada.id) == (young,)
    assert kept.codes() == (young_code,)


def test_everything_is_moved_together(kept, ada):
    session, code = a_session(ada), a_code()
    kept.begin(session, "hash of ada")
    kept.add_code(code)
    kept.redate(lambda life: life.moved(timedelta(days=20_000, microseconds=1)))
    assert kept.session(session.id).life == session.life.moved(timedelta(days=20_000, microseconds=1))
    assert kept.codes() == (replace(code, life=code.life.moved(timedelta(days=20_000, microseconds=1))),)


def test_of_claim_codes_the_newest_alone_is_there_and_invitations_stay(kept):
    invitation, older, newer = a_code(), a_code(Purpose.CLAIM), a_code(Purpose.CLAIM, at=LATER)
    for code in (invitation, older, newer):
        kept.add_code(code)
    assert kept.codes() == (invitation, newer)


def test_a_code_is_withdrawn_once(kept):
    code = a_code()
    kept.add_code(code)
    assert kept.withdraw(code.id)
    assert not kept.withdraw(code.id)


def test_a_code_is_used_up_by_one_user(kept, ada):
    code = a_code()
    kept.add_code(code)
    kept.add(a_user("bo@example.org"), "hash", code_id=code.id)
    assert kept.codes() == ()
    with pytest.raises(WrongSignIn, match="not good any more"):
        kept.add(a_user("cy@example.org"), "hash", code_id=code.id)
    assert kept.by_email("cy@example.org") is None


def test_a_code_is_not_used_up_by_who_can_not_be_added(kept, ada):
    code = a_code()
    kept.add_code(code)
    with pytest.raises(AccountError, match="has an account already"):
        kept.add(a_user(), "hash", code_id=code.id)
    assert kept.codes() == (code,)


def test_the_first_owner_comes_once_and_ends_all_claim_codes(kept):
    claim, invitation = a_code(Purpose.CLAIM), a_code()
    kept.add_code(claim)
    kept.add_code(invitation)
    kept.add(a_user(role=Role.OWNER), "hash", first=True)
    assert kept.codes() == (invitation,)
    with pytest.raises(NotPermitted, match="has an owner already"):
        kept.add(a_user("eve@example.org", role=Role.OWNER), "hash", first=True)
    assert len(kept.everybody()) == 1


def test_an_owner_who_may_not_sign_in_leaves_room_for_a_first(kept):
    kept.add(a_user(role=Role.OWNER, active=False), "hash", first=True)
    kept.add(a_user("bo@example.org", role=Role.OWNER), "hash", first=True)
    assert len(kept.everybody()) == 2


def _at_once(count, call):
    ready = threading.Barrier(count)

    def do(number):
        ready.wait()
        try:
            call(number)
        except (AccountError, NotPermitted, WrongSignIn):
            return False
        return True

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(do, range(count)))


def test_of_many_first_owners_at_once_one_is_taken(opening):
    places = [opening(), opening()]
    done = _at_once(6, lambda number: places[number % 2].add(a_user(f"u{number}@example.org", role=Role.OWNER), "hash", first=True))
    assert sum(done) == 1
    assert [user.email for user in places[0].everybody()] == [f"u{done.index(True)}@example.org"]


def test_of_many_who_use_one_code_at_once_one_is_taken(opening):
    places = [opening(), opening()]
    code = a_code()
    places[0].add_code(code)
    assert sum(_at_once(6, lambda number: places[number % 2].add(a_user(f"u{number}@example.org"), "hash", code_id=code.id))) == 1
    assert len(places[0].everybody()) == 1


def test_of_many_who_take_one_address_at_once_one_is_taken(opening):
    places = [opening(), opening()]
    assert sum(_at_once(6, lambda number: places[number % 2].add(a_user(), "hash"))) == 1


def test_two_owners_who_step_down_at_once_leave_one(opening):
    places = [opening(), opening()]
    owners = [a_user(f"u{number}@example.org", role=Role.OWNER) for number in range(2)]
    for owner in owners:
        places[0].add(owner, "hash")
    done = _at_once(2, lambda number: places[number].change(owners[number].id, lambda user: replace(user, role=Role.MEMBER)))
    assert sum(done) == 1
    assert sum(user.is_active_owner for user in places[0].everybody()) == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda kept, user: kept.remove(user.id),
        lambda kept, user: kept.change(user.id, lambda user: replace(user, role=Role.MEMBER)),
        lambda kept, user: kept.change(user.id, lambda user: replace(user, active=False)),
    ],
)
def test_the_last_owner_stays(kept, ada, bo, call):
    session = a_session(ada)
    kept.begin(session, "hash of ada")
    with pytest.raises(AccountError, match="make somebody else an owner first"):
        call(kept, ada)
    assert kept.by_id(ada.id).is_active_owner
    assert kept.sessions_of(ada.id) == (session,)
    kept.change(bo.id, lambda user: replace(user, role=Role.OWNER))
    call(kept, ada)
    assert [user.email for user in kept.everybody() if user.is_active_owner] == ["bo@example.org"]


def test_who_is_removed_takes_sessions_and_invitations_along(kept, ada, bo):
    kept.change(bo.id, lambda user: replace(user, role=Role.OWNER))
    theirs, others = a_code(made_by=bo.id), a_code(made_by=ada.id, at=LATER)
    kept.add_code(theirs)
    kept.add_code(others)
    session = a_session(bo)
    kept.begin(session, "hash of bo")
    kept.remove(bo.id)
    assert kept.session(session.id) is None
    assert kept.codes() == (others,)


def test_all_that_a_person_says_is_kept(kept, ada):
    preferences = Preferences.model_validate(
        {
            "goal": "lift",
            "loves": ["Lantern Parade"],
            "volume_cap": 60,
            "quiet_hours": {"start": "22:00", "end": "07:30"},
            "moods": {"happy": "https://open.spotify.com/playlist/37i9dQZF1DXdPec7aLTmlC"},
        }
    )
    changed = replace(ada, preferences=preferences, age=36, skin_type=SkinType.IV, last_name="Ünver \N{SNOWMAN}", updated_at=LATER)
    assert kept.change(ada.id, lambda _: changed) == changed
    assert kept.by_id(ada.id) == changed


def test_no_change_touches_id_or_last_sign_in(kept, ada):
    kept.begin(a_session(ada, at=LATER), "hash of ada")
    kept.change(ada.id, lambda user: replace(user, id=uuid4(), last_sign_in_at=None, last_name="King"))
    assert (kept.by_id(ada.id).last_name, kept.by_id(ada.id).last_sign_in_at) == ("King", LATER)


def test_a_change_that_fails_changes_nothing(kept, ada):
    with pytest.raises(AccountError, match="a name has"):
        kept.change(ada.id, lambda user: replace(user, first_name=""))
    assert kept.by_id(ada.id) == ada


def test_changes_of_one_user_at_once_are_all_made(opening):
    places = [opening(), opening()]
    ada = a_user(role=Role.OWNER, age=1)
    places[0].add(ada, "hash")
    assert all(_at_once(8, lambda number: places[number % 2].change(ada.id, lambda user: replace(user, age=user.age + 1))))
    assert places[0].by_id(ada.id).age == 9
