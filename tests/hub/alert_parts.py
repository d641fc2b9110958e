"""Messages of alerts, a mail server that speaks TLS, and a receiver of webhooks, for the tests of alerts."""

import json
import ssl
import threading
import uuid
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

from moodify.hub.alerts.port import Alert, Channel, ChannelKind, Delivery, What
from moodify.hub.alerts.rules import RuleKind

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
ALERT = Alert(7, "m-abc", "Kitchen", RuleKind.OFFLINE, NOW, "Kitchen is offline. Look whether it has power and network.")
OVER = replace(ALERT, cleared=NOW + timedelta(hours=1), cleared_words="Kitchen is online again.")


def delivery(target, *, kind=ChannelKind.EMAIL, what=What.RAISED, alert=ALERT, secret=None, tries=0):
    """Return a message to a channel."""
    channel = Channel(str(uuid.uuid4()), kind, target, secret, NOW)
    return Delivery(str(uuid.uuid4()), what, channel, tries, NOW, None if what is What.TEST else alert)


class MailServer:
    """A mail server on loopback; its levers are what a server may do to who hands in mail."""

    def __init__(self, files, *, implicit_tls=False, offers_tls=True, password=None):
        self.mails = []
        """(sender, recipients, text) of each that was taken."""
        self.sign_ins = []
        self.answer_to_address = "250 OK"
        self.answer_to_mail = "250 OK"
        self.answer_to_quit = None
        self.password = password
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*files)
        starttls = context if offers_tls and not implicit_tls else None
        server = self

        class Controlled(Controller):
            def _trigger_server(self):
                # The system has chosen one.
                self.port = self.server.sockets[0].getsockname()[1]
                super()._trigger_server()

            def factory(self):
                options = {"tls_context": starttls, "require_starttls": starttls is not None}
                if password is not None:
                    options |= {"authenticator": server._authenticate, "auth_required": True}
                return _Smtp(self.handler, server=server, **options)

        self._controller = Controlled(self, hostname="127.0.0.1", port=0, ssl_context=context if implicit_tls else None)

    # What aiosmtpd calls.

    def _authenticate(self, _server, _session, _envelope, _mechanism, data):
        self.sign_ins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=data.password.decode() == self.password, handled=False)

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802 - aiosmtpd's name
        if self.answer_to_address.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.answer_to_address

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 - aiosmtpd's name
        if self.answer_to_mail.startswith("250"):
            self.mails.append((envelope.mail_from, envelope.rcpt_tos, envelope.content.decode()))
        return self.answer_to_mail

    @property
    def port(self):
        return self._controller.port

    def start(self):
        self._controller.start()

    def stop(self):
        self._controller.stop()


class _Smtp(SMTP):
    def __init__(self, handler, *, server, **options):
        self._test_server = server
        super().__init__(handler, **options)

    async def smtp_QUIT(self, arg):  # noqa: N802 - aiosmtpd's name
        if self._test_server.answer_to_quit is None:
            await super().smtp_QUIT(arg)
        else:
            await self.push(self._test_server.answer_to_quit)
            self.transport.close()


@contextmanager
def mail_server(files, **options):
    """Give a mail server that runs."""
    server = MailServer(files, **options)
    server.start()
    try:
        yield server
    finally:
        server.stop()


class Receiver:
    """An HTTP server on loopback that keeps what it was sent."""

    def __init__(self, files=None):
        self.posts = []
        """(path, headers, body as JSON) of each."""
        self.status = 204
        self.headers = {}
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.posts.append((self.path, dict(self.headers), body))
                self.send_response(receiver.status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST  # noqa: N815 - as http.server calls it; a redirect that is followed would come so

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if files is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*files)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def port(self):
        return self._server.server_address[1]

    def said(self):
        """Return the bodies as JSON."""
        return [json.loads(body) for _, _, body in self.posts]

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
