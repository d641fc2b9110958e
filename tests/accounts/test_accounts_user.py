from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from people import NOON, a_user

from moodify.accounts.address import normalise
from moodify.errors import AccountError


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (" Ada.Lovelace@Example.ORG ", "ada.lovelace@example.org"),
        ("ada+music@sub.example.org", "ada+music@sub.example.org"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("o'neill@example.org", "o'neill@example.org"),
        (f"{'a' * 64}@example.org", f"{'a' * 64}@example.org"),
    ],
)
def test_an_address_has_one_form(text, kept):
    assert normalise(text) == kept
    assert normalise(kept) == kept


@pytest.mark.parametrize(
    "domain", ["", "localhost", "example", "-a.example", "a-.example", "a..example", ".example.org", "example.org.", "127.0.0.1", "exa mple.org", f"{'a' * 64}.org", "\ud800.org"]
)
def test_what_is_no_domain_is_refused(domain):
    with pytest.raises(AccountError, match=r"after the @ is no domain; write it like example\.org"):
        normalise(f"ada@{domain}")


@pytest.mark.parametrize("local", [".ada", "ada.", "a..da", "a da", '"ada"', "adá", "ada\n", "a@b", "a" * 65])
def test_what_no_mail_server_takes_before_the_at_is_refused(local):
    with pytest.raises(AccountError, match="before the @"):
        normalise(f"{local}@example.org")


@pytest.mark.parametrize("text", ["", "   ", "ada", "@example.org"])
def test_an_address_without_its_parts_is_refused_with_an_example(text):
    with pytest.raises(AccountError, match="write it like ada@example"):
        normalise(text)


def test_an_address_that_no_mail_can_carry_is_refused():
    label = "a" * 63
    with pytest.raises(AccountError, match="at most 254"):
        normalise(f"ada@{label}.{label}.{label}.{label}")


def test_a_user_is_brought_into_the_kept_form_also_when_changed():
    user = replace(a_user(), email=" Grace@Example.org", first_name="  Grace\tBrewster ", last_name="Hoppe\u0301r")
    assert (user.email, user.first_name, user.last_name) == ("grace@example.org", "Grace Brewster", "Hopp\u00e9r")


@pytest.mark.parametrize(
    ("first", "last", "initials"), [("Ada", "Lovelace", "AL"), ("éva", "de la Tour", "ÉD"), ("Björk", "", "B"), ("'t Hooft", "ßen", "TS"), ("明", "山田", "明山")]
)
def test_the_badge_shows_the_first_letters(first, last, initials):
    assert a_user(first_name=first, last_name=last).initials == initials


def test_a_single_name_stands_alone():
    assert a_user(first_name="Björk", last_name="").name == "Björk"


@pytest.mark.parametrize("name", ["", " ", "42", "-", "Ada\u200b", "Ada\x00", "Ada\u202eecalevoL", "a" * 81])
def test_a_name_that_cannot_be_read_is_refused(name):
    with pytest.raises(AccountError, match=r"a name has .*; (write|give)"):
        a_user(first_name=name)


@pytest.mark.parametrize("at", [datetime(2026, 3, 1), NOON.astimezone(timezone(timedelta(hours=1)))])  # noqa: DTZ001 - it is what is refused
def test_a_date_that_is_not_in_utc_is_refused(at):
    with pytest.raises(AccountError, match="not in UTC"):
        a_user(updated_at=at)
    assert a_user(updated_at=NOON.astimezone(UTC)).updated_at == NOON
