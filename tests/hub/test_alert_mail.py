"""Alerts by mail, at a real mail server that speaks TLS."""

import email
import email.policy
import logging

import pytest
from alert_parts import ALERT, OVER, delivery, mail_server

from moodify.errors import PersonMustAct, RetryLater
from moodify.hub.alerts.mail import Mail, MailServer
from moodify.hub.alerts.port import What
from tls import make_certificate


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def password_file(tmp_path):
    file = tmp_path / "mail.password"
    file.write_text("correct horse\n")
    file.chmod(0o600)
    return file


def mail(server, files, **changes):
    """Return what hands in mails there."""
    told = {"host": "127.0.0.1", "port": server.port, "security": "starttls", "sender": "moodify@example.org", "ca_file": files[0], "timeout_s": 20.0}
    return Mail(MailServer(**(told | changes)))


def read(server):
    """Return the one mail that was taken."""
    ((_, _, text),) = server.mails
    return email.message_from_string(text, policy=email.policy.default)


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_mail_gets_to_its_address_over_tls(files, security):
    with mail_server(files, implicit_tls=security == "tls") as server:
        mail(server, files, security=security).carry(delivery("ada@example.org"))
        assert server.mails[0][:2] == ("moodify@example.org", ["ada@example.org"])
        said = read(server)
    assert said["Subject"] == "Moodify: Kitchen is offline"
    assert ALERT.words in said.get_content()
    assert said["Auto-Submitted"] == "auto-generated"


def test_the_all_clear_says_how_long_it_was(files):
    with mail_server(files) as server:
        mail(server, files).carry(delivery("ada@example.org", what=What.CLEARED, alert=OVER))
        said = read(server)
    assert said["Subject"] == "Moodify: Kitchen is online again"
    assert f"From {OVER.raised.astimezone():%Y-%m-%d %H:%M} to {OVER.cleared.astimezone():%Y-%m-%d %H:%M}" in said.get_content()


def test_a_mail_that_is_sent_again_has_the_same_id(files):
    message = delivery("ada@example.org")
    with mail_server(files) as server:
        for _ in range(2):
            mail(server, files).carry(message)
        ids = {email.message_from_string(text)["Message-ID"] for _, _, text in server.mails}
    assert ids == {f"<{message.id}@example.org>"}


def test_it_signs_in_with_the_password_of_the_file_as_it_is_now(files, password_file):
    with mail_server(files, password="correct horse") as server:
        sender = mail(server, files, user="moodify", password_file=password_file)
        sender.carry(delivery("ada@example.org"))
        server.password = "another one"
        password_file.write_text("another one")
        sender.carry(delivery("ada@example.org"))
    assert server.sign_ins == [("moodify", "correct horse"), ("moodify", "another one")]


def test_a_wrong_password_is_a_persons_to_mend_and_is_not_repeated(files, password_file, caplog):
    caplog.set_level(logging.DEBUG)
    with mail_server(files, password="something else") as server, pytest.raises(PersonMustAct, match="mail_password_file") as refused:
        mail(server, files, user="moodify", password_file=password_file).carry(delivery("ada@example.org"))
    assert "correct horse" not in f"{refused.value!r} {refused.value.__cause__!r} {caplog.text}"


@pytest.mark.parametrize(
    ("content", "mode", "said"), [("secret\n", 0o640, "others may read"), ("one\ntwo\n", 0o600, "not one line"), ("", 0o600, "not one line"), (None, 0, "mail_password_file")]
)
def test_a_password_file_that_is_none_is_not_used(files, tmp_path, content, mode, said):
    file = tmp_path / "password"
    if content is not None:
        file.write_text(content)
        file.chmod(mode)
    with mail_server(files) as server, pytest.raises(PersonMustAct, match=said) as refused:
        mail(server, files, user="moodify", password_file=file).carry(delivery("ada@example.org"))
    assert "secret" not in str(refused.value)
    assert not server.mails


def test_nothing_is_said_to_a_server_that_does_not_encrypt(files, password_file):
    with mail_server(files, offers_tls=False, password="correct horse") as server, pytest.raises(PersonMustAct, match="offers no encryption"):
        mail(server, files, user="moodify", password_file=password_file).carry(delivery("ada@example.org"))
    assert not server.sign_ins
    assert not server.mails


@pytest.mark.parametrize("changes", [{"ca_file": None}, {"host": "localhost.localdomain"}])
def test_nothing_is_said_to_a_server_that_is_not_who_it_says(files, password_file, changes, monkeypatch):
    monkeypatch.setattr("socket.getaddrinfo", lambda _host, port, *_args, **_kwargs: [(2, 1, 6, "", ("127.0.0.1", port))])
    with mail_server(files, password="correct horse") as server, pytest.raises(PersonMustAct, match="certificate"):
        mail(server, files, user="moodify", password_file=password_file, **changes).carry(delivery("ada@example.org"))
    assert not server.sign_ins


@pytest.mark.parametrize(
    ("lever", "answer", "error"),
    [
        ("answer_to_address", "550 no such user", PersonMustAct),
        ("answer_to_address", "451 greylisted, come again", RetryLater),
        ("answer_to_mail", "554 no", PersonMustAct),
        ("answer_to_mail", "452 no room", RetryLater),
    ],
)
def test_what_a_server_refuses_says_whether_it_is_worth_another_try(files, lever, answer, error):
    with mail_server(files) as server:
        setattr(server, lever, answer)
        with pytest.raises(error):
            mail(server, files).carry(delivery("ada@example.org"))


def test_a_server_that_is_away_is_tried_again(files):
    with mail_server(files) as server:
        gone = mail(server, files)
    with pytest.raises(RetryLater, match="can't be reached"):
        gone.carry(delivery("ada@example.org"))


def test_a_mail_that_was_taken_is_not_sent_again_for_a_bad_goodbye(files):
    with mail_server(files) as server:
        server.answer_to_quit = "421 busy"
        mail(server, files).carry(delivery("ada@example.org"))
    assert len(server.mails) == 1


def test_without_a_mail_server_it_says_what_to_configure():
    with pytest.raises(PersonMustAct, match="mail_host"):
        Mail(None).carry(delivery("ada@example.org"))
