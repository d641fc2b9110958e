"""Alerts by e-mail: SMTP, by the standard library's smtplib, never without TLS."""

from __future__ import annotations

import contextlib
import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import format_datetime
from typing import TYPE_CHECKING, Final, Literal

from moodify.errors import PersonMustAct, RetryLater
from moodify.hub.alerts.words import letter

if TYPE_CHECKING:
    from pathlib import Path

    from moodify.hub.alerts.port import Delivery

#: Longest wait for a step of the conversation, in seconds; there are about eight, and a claim holds for five minutes.
TIMEOUT_S: Final = 20.0
_PERMANENT: Final = 500
_PASSWORD_AT_MOST: Final = 1024


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed in."""

    host: str
    port: int
    security: Literal["starttls", "tls"]
    sender: str
    user: str | None = None
    password_file: Path | None = field(default=None, repr=False)
    ca_file: Path | None = None
    """Whom the server's certificate must be signed by, beside whom the system trusts; None for the system's alone."""
    timeout_s: float = TIMEOUT_S


class Mail:
    """Sends mails, each over a connection of its own."""

    def __init__(self, server: MailServer | None) -> None:
        """Take where mail is handed in; None where nothing is configured."""
        self._server = server

    def carry(self, delivery: Delivery) -> None:
        """Send one mail to the channel's address.

        Raises:
            PersonMustAct: nothing is configured, the password file can't be used, or the server refuses the sign-in, its own certificate does not hold, or an address.
            RetryLater: the server is away, or asks to come again.
        """
        server = self._server
        if server is None:
            raise PersonMustAct("no mail server is configured; set mail_host and mail_from in hub.toml and restart the hub")
        password = None if server.user is None else read_password(server.password_file)
        message = _message(server, delivery)
        try:
            _hand_in(server, password, message, delivery.channel.target)
        except ssl.SSLCertVerificationError as error:
            raise PersonMustAct(
                f"the certificate of the mail server {server.host} does not hold ({error.verify_message}); correct mail_host, or name who signed it in mail_ca_file"
            ) from None
        except smtplib.SMTPAuthenticationError:
            # The vendor's text may repeat what was sent.
            raise PersonMustAct(f"the mail server {server.host} refuses user name or password; correct mail_user and what is in mail_password_file") from None
        except smtplib.SMTPNotSupportedError:
            raise PersonMustAct(
                f"the mail server {server.host} offers no {'encryption' if server.security == 'starttls' else 'sign-in'} at port {server.port}; correct mail_port and mail_security"
            ) from None
        except smtplib.SMTPRecipientsRefused as error:
            code = max((code for code, _ in error.recipients.values()), default=0)
            raise _refused(code, f"the mail server {server.host} does not take the address (code {code})", "correct it under Alerts") from None
        except smtplib.SMTPResponseException as error:
            raise _refused(
                error.smtp_code, f"the mail server {server.host} does not take the mail (code {error.smtp_code})", "correct mail_from and what the server asks for"
            ) from None
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise RetryLater(
                f"the mail server {server.host} can't be reached at port {server.port} ({type(error).__name__}); look whether mail_host and mail_port are right, it is tried again"
            ) from None


def read_password(path: Path | None) -> str:
    """Return the one line of a file that only its owner may read; read at each mail, so that a new one counts at once.

    Raises:
        PersonMustAct: it is missing, can't be read, others may read it, or it is not one line.
    """
    if path is None:
        raise PersonMustAct("mail_user is set and mail_password_file is not; name a file with the password in hub.toml")
    try:
        mode = path.stat().st_mode & 0o777
        with path.open("rb") as file:
            content = file.read(_PASSWORD_AT_MOST + 1)
    except OSError as error:
        raise PersonMustAct(f"the password file {path} (mail_password_file): {error.strerror}; make it with the password as its one line, for the user that runs the hub") from None
    if mode & 0o077:
        raise PersonMustAct(f"others may read the password file {path} (mode {mode:04o}); if nobody has copied the password run: chmod 600 {path}")
    lines = content.decode("utf-8-sig", errors="replace").splitlines()
    if len(lines) != 1 or not lines[0] or len(content) > _PASSWORD_AT_MOST:
        raise PersonMustAct(f"the password file {path} is not one line; write the password there, and nothing else")
    return lines[0]


def _hand_in(server: MailServer, password: str | None, message: EmailMessage, address: str) -> None:
    connection = _connected(server)
    try:
        if server.user is not None and password is not None:
            connection.login(server.user, password)
        connection.send_message(message, server.sender, [address])
        # It has been taken: how the goodbye is answered changes nothing, and trying again would send it twice.
        with contextlib.suppress(smtplib.SMTPException, OSError):
            connection.quit()
    finally:
        connection.close()


def _connected(server: MailServer) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if server.ca_file is not None:
        try:
            context.load_verify_locations(server.ca_file)
        except OSError as error:
            raise PersonMustAct(f"{server.ca_file} (mail_ca_file) can't be read as certificates ({error.strerror}); name a PEM file") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if server.security == "tls":
        return smtplib.SMTP_SSL(server.host, server.port, timeout=server.timeout_s, context=context)
    connection = smtplib.SMTP(server.host, server.port, timeout=server.timeout_s)
    try:
        connection.starttls(context=context)
    except BaseException:
        connection.close()
        raise
    return connection


def _message(server: MailServer, delivery: Delivery) -> EmailMessage:
    said = letter(delivery)
    message = EmailMessage()
    message["Subject"] = said.subject
    message["From"] = server.sender
    message["To"] = delivery.channel.target
    message["Date"] = format_datetime(delivery.written)
    # The same at each try: a mail program shows a message that came twice once.
    message["Message-ID"] = f"<{delivery.id}@{server.sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(said.text)
    return message


def _refused(code: int, what: str, step: str) -> PersonMustAct | RetryLater:
    return PersonMustAct(f"{what}; {step}") if code >= _PERMANENT else RetryLater(f"{what}; it is tried again")
