"""The hub's own certificate, shown and pinned for real."""

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta

import pytest

from moodify.errors import CannotWork, PersonMustAct
from moodify.hub import certificate
from moodify.hub.folder import HubFolder, hub_folder


@pytest.fixture
def made(tmp_path):
    files = tmp_path / "certificate.pem", tmp_path / "certificate.key"
    certificate.make(*files, ["hub.home", "127.0.0.1", "::1"])
    return files


def greet(files, client, name):
    """Shake hands; return the certificate that was shown (DER)."""
    server = certificate.server_context(*files)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer():
            try:
                with listening.accept()[0] as accepted, server.wrap_socket(accepted, server_side=True) as encrypted:
                    encrypted.recv(1)
            except OSError:
                # The client has turned away.
                return

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            with socket.create_connection(listening.getsockname()) as plain, client.wrap_socket(plain, server_hostname=name) as encrypted:
                return encrypted.getpeercert(binary_form=True)
        finally:
            thread.join()


def pinned(file, flags):
    context = ssl.create_default_context(cafile=file)
    context.verify_flags = flags
    return context


@pytest.mark.parametrize("flags", [ssl.VERIFY_DEFAULT, ssl.VERIFY_X509_STRICT, ssl.VERIFY_X509_STRICT | 0x80000], ids=["default", "strict", "as Python 3.13"])
@pytest.mark.parametrize("name", ["hub.home", "127.0.0.1"])
def test_whoever_pins_it_is_let_through_by_every_name_in_it(made, flags, name):
    shown = greet(made, pinned(made[0], flags), name)
    assert ssl.DER_cert_to_PEM_cert(shown) == made[0].read_text()


@pytest.mark.parametrize(("name", "why"), [("elsewhere.home", "mismatch"), ("192.168.1.9", "mismatch")])
def test_another_name_is_refused(made, name, why):
    with pytest.raises(ssl.SSLCertVerificationError, match=why):
        greet(made, pinned(made[0], ssl.VERIFY_X509_STRICT), name)


def test_who_does_not_pin_it_refuses_it(made):
    with pytest.raises(ssl.SSLCertVerificationError, match=r"self.signed"):
        greet(made, ssl.create_default_context(), "hub.home")


def test_it_lasts_ten_years_and_not_longer(tmp_path):
    files = tmp_path / "c.pem", tmp_path / "c.key"
    certificate.make(*files, ["hub.home"], now=datetime.now(UTC) - timedelta(days=3650))
    greet(files, pinned(files[0], ssl.VERIFY_X509_STRICT), "hub.home")
    certificate.make(*files, ["hub.home"], now=datetime.now(UTC) - timedelta(days=3653))
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        greet(files, pinned(files[0], ssl.VERIFY_X509_STRICT), "hub.home")


def test_its_fingerprint_is_of_what_is_shown_and_its_files_are_private(made):
    shown = greet(made, pinned(made[0], ssl.VERIFY_DEFAULT), "hub.home")
    other = certificate.fingerprint(ssl.DER_cert_to_PEM_cert(shown))
    assert other == certificate.fingerprint(made[0].read_text())
    assert len(other) == len("sha256:") + 64
    assert [file.stat().st_mode & 0o777 for file in made] == [0o600, 0o600]
    assert certificate.names_of(made[0].read_text()) == ["hub.home", "127.0.0.1", "::1"]


def test_the_names_of_this_machine_are_good_for_one(tmp_path):
    files = tmp_path / "c.pem", tmp_path / "c.key"
    certificate.make(*files, certificate.own_names())
    greet(files, pinned(files[0], ssl.VERIFY_X509_STRICT), "localhost")


@pytest.mark.parametrize("name", ["", "a b", "hub_home", "-x", "*.home", "ü.home", "x" * 300, "a..b"])
def test_what_is_no_name_is_not_taken(tmp_path, name):
    with pytest.raises(CannotWork, match="neither a host name nor an address"):
        certificate.make(tmp_path / "c.pem", tmp_path / "c.key", [name])


def test_damaged_and_missing_files_say_what_to_do(made, tmp_path):
    made[1].write_text("nonsense")
    with pytest.raises(PersonMustAct, match="from a backup"):
        certificate.server_context(*made)
    made[1].unlink()
    with pytest.raises(PersonMustAct, match=r"certificate\.key: No such file.*moodify hub init"):
        certificate.server_context(*made)
    with pytest.raises(PersonMustAct, match="no certificate"):
        certificate.fingerprint("nonsense")


def test_the_folder_is_the_named_one_the_services_or_the_users(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert hub_folder(tmp_path / "x", environment={"STATE_DIRECTORY": "/s"}).path == tmp_path / "x"
    assert str(hub_folder(None, environment={"STATE_DIRECTORY": "/s/hub:/t"}).path) == "/s/hub"
    assert hub_folder(None, environment={}).path == tmp_path / "moodify-hub"


def test_a_folder_that_others_can_look_into_is_not_used(tmp_path):
    folder = HubFolder(tmp_path / "hub")
    folder.make()
    folder.make()
    assert [path.stat().st_mode & 0o777 for path in (folder.path, folder.run)] == [0o700, 0o700]
    folder.path.chmod(0o755)
    with pytest.raises(PersonMustAct, match="run: chmod 700"):
        folder.make()


def test_what_a_hub_says_of_itself_is_there_while_it_says_it(tmp_path):
    folder = HubFolder(tmp_path / "hub")
    folder.make()
    assert folder.where() is None
    folder.publish({"api": {"port": 1}})
    assert folder.where() == {"api": {"port": 1}}
    folder.address.write_text("{")
    with pytest.raises(PersonMustAct, match=r"address\.json can't be read"):
        folder.where()
    folder.withdraw()
    folder.withdraw()
    assert folder.where() is None
