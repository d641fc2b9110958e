"""Pages and hubs on the home network, by real mDNS on loopback: what is announced, what is found, and what strangers may not do."""

import threading
import uuid
from contextlib import contextmanager

import pytest
from zeroconf import ServiceInfo, Zeroconf

from moodify import __version__
from moodify.cloud import announcing
from moodify.cloud.announcing import HUB, MOST_HUBS, PAGE, NetworkDeaf, announce_hub, announce_page, find_hubs
from waiting import wait_until

LOOPBACK = "127.0.0.1"


def fingerprint():
    """Return one that no other run on this machine has, for loopback is shared."""
    return f"sha256:{uuid.uuid4().hex}{uuid.uuid4().hex}"


@contextmanager
def announced(announcer):
    with announcer:
        wait_until(lambda: announcer.heard, what="the announcement")
        yield announcer


@contextmanager
def stranger(name, *, port=8883, address=LOOPBACK, **properties):
    """Somebody who announces a hub, true or not."""
    mdns = Zeroconf(interfaces=[LOOPBACK])
    info = ServiceInfo(HUB, f"{name}.{HUB}", port, properties=properties, server=f"x{uuid.uuid4().hex}.local.", parsed_addresses=[address])
    try:
        mdns.register_service(info, cooperating_responders=True)
        yield
    finally:
        mdns.close()


def found(*wanted, timeout_s=15):
    """Return the hubs with these fingerprints, once all are heard."""

    def enough(hubs):
        return set(wanted) <= {hub.fingerprint for hub in hubs}

    return [hub for hub in find_hubs(timeout_s, enough=enough, interfaces=[LOOPBACK]) if hub.fingerprint in wanted]


def test_a_hub_that_announces_itself_is_found_with_its_name_address_and_fingerprint():
    mine = fingerprint()
    with announced(announce_hub(LOOPBACK, 18883, "Anna's hub, v1.2 in the attic", mine)):
        (hub,) = found(mine)
    assert (hub.name, hub.addresses, hub.port, hub.fingerprint) == ("Anna's hub, v1.2 in the attic", (LOOPBACK,), 18883, mine)


def test_two_hubs_of_one_name_are_both_found():
    one, other = fingerprint(), fingerprint()
    name = f"Hub {uuid.uuid4().hex}"
    with announced(announce_hub(LOOPBACK, 18883, name, one)), announced(announce_hub(LOOPBACK, 18884, name, other)):
        assert {hub.port for hub in found(one, other)} == {18883, 18884}


def test_a_hub_that_ends_is_not_found_any_more():
    mine, other = fingerprint(), fingerprint()
    with announced(announce_hub(LOOPBACK, 18884, "stays", other)):
        with announced(announce_hub(LOOPBACK, 18883, "goes", mine)):
            assert found(mine)
        assert [hub.port for hub in find_hubs(3, enough=lambda hubs: any(hub.fingerprint == other for hub in hubs), interfaces=[LOOPBACK]) if hub.fingerprint == mine] == []


def test_a_page_says_where_it_is_and_whose_and_nothing_private():
    device = f"m-{uuid.uuid4().hex[:16]}"
    ears = Zeroconf(interfaces=[LOOPBACK])
    try:
        with announced(announce_page(LOOPBACK, 18080, device, "Kitchen", encrypted=True)):
            info = ears.get_service_info(PAGE, f"Kitchen {device}.{PAGE}", timeout=20_000)
    finally:
        ears.close()
    assert (info.parsed_addresses(), info.port, info.server) == ([LOOPBACK], 18080, f"{device}.local.")
    assert info.decoded_properties == {"id": device, "version": __version__, "scheme": "https"}


def test_a_hub_tells_its_fingerprint_and_version_and_nothing_else():
    mine = fingerprint()
    name = f"Hub {uuid.uuid4().hex}"
    ears = Zeroconf(interfaces=[LOOPBACK])
    try:
        with announced(announce_hub(LOOPBACK, 18883, name, mine)):
            info = ears.get_service_info(HUB, f"{name} {mine[7:19]}.{HUB}", timeout=20_000)
    finally:
        ears.close()
    assert info.decoded_properties == {"fingerprint": mine, "version": __version__}


def test_what_listens_on_loopback_is_told_there_alone_and_what_listens_everywhere_is_never_told_as_loopback():
    assert announcing._where(LOOPBACK) == ([LOOPBACK], [LOOPBACK])
    assert announcing._where("localhost") == ([LOOPBACK], [LOOPBACK])
    assert announcing._where("::1") == ([LOOPBACK], ["::1"])
    assert announcing._where("192.0.2.7") == (["192.0.2.7"], ["192.0.2.7"])
    for everywhere in ("0.0.0.0", "::", "hub.home"):
        interfaces, addresses = announcing._where(everywhere)
        assert interfaces == addresses
        assert LOOPBACK not in addresses


def test_it_may_end_before_it_is_announced():
    began = threading.active_count()
    with announce_hub(LOOPBACK, 18883, f"Hub {uuid.uuid4().hex}", fingerprint()):
        pass
    # Fewer, where one of the tests before has ended meanwhile.
    wait_until(lambda: threading.active_count() <= began, what=lambda: f"the end of {threading.enumerate()}")


# zeroconf 0.154 leaves its first socket to the garbage collector where it can't open the second.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_without_a_network_it_goes_on_says_so_once_and_tries_again(monkeypatch, caplog):
    monkeypatch.setattr(announcing, "LOOK_S", 0.02)
    places = ["192.0.2.1"] * 3
    asked = []

    def where(host):
        asked.append(host)
        # TEST-NET-1: no machine has it.
        return ([places.pop()] * 1, ["192.0.2.1"]) if places else ([LOOPBACK], [LOOPBACK])

    monkeypatch.setattr(announcing, "_where", where)
    with announced(announce_hub("0.0.0.0", 18883, f"Hub {uuid.uuid4().hex}", fingerprint())):
        assert len(asked) >= 4
    assert caplog.text.count("is not announced on the network") == 1


def test_a_machine_whose_address_changes_is_announced_anew(monkeypatch):
    monkeypatch.setattr(announcing, "LOOK_S", 0.02)
    addresses = ["127.0.0.2"]
    monkeypatch.setattr(announcing, "_where", lambda _host: ([LOOPBACK], list(addresses)))
    mine = fingerprint()
    with announced(announce_hub("0.0.0.0", 18883, f"Hub {uuid.uuid4().hex}", mine)):
        assert found(mine)[0].addresses == ("127.0.0.2",)
        addresses[0] = "127.0.0.3"
        wait_until(lambda: [hub for hub in found(mine) if hub.addresses == ("127.0.0.3",)], what="the new address")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_network_that_cannot_be_listened_to_is_for_later_and_says_what_to_do():
    with pytest.raises(NetworkDeaf, match="moodify device enroll HUB"):
        find_hubs(1, interfaces=["192.0.2.1"])


@pytest.mark.parametrize("said", [{}, {"fingerprint": "md5:1234"}, {"fingerprint": "sha256:\x1b[2J"}, {"fingerprint": b"\xff\xfe"}])
def test_one_that_does_not_say_who_it_is_is_no_offer(said):
    mine, name = fingerprint(), f"Hub {uuid.uuid4().hex}"
    with stranger(name, **said), stranger(f"Real {name}", FINGERPRINT=mine):
        everyone = find_hubs(15, enough=lambda hubs: any(hub.fingerprint == mine for hub in hubs), interfaces=[LOOPBACK])
        assert name not in {hub.name for hub in everyone}
        assert f"Real {name}" in {hub.name for hub in everyone}


def test_a_home_is_never_led_to_its_own_loopback_or_into_the_world():
    hearing = announcing._Hearing(announcing._HOME, foreign=(OSError,))
    read = {
        address: hearing._read(ServiceInfo(HUB, f"x.{HUB}", 8883, properties={"fingerprint": fingerprint()}, parsed_addresses=[address]), "x")
        for address in (LOOPBACK, "0.0.0.0", "8.8.8.8", "224.0.0.251", "100.64.0.1", "::1", "192.168.1.20", "10.0.0.3", "172.31.0.1", "169.254.7.7")
    }
    assert {address for address, hub in read.items() if hub is not None} == {"192.168.1.20", "10.0.0.3", "172.31.0.1", "169.254.7.7"}


def test_a_flood_of_announcements_is_cut_off_and_names_are_made_fit_to_read():
    hearing = announcing._Hearing(announcing._HOME, foreign=(OSError,))

    class Mdns:
        def get_service_info(self, _type, name, timeout):
            return ServiceInfo(HUB, f"x.{HUB}", 8883, properties={"fingerprint": fingerprint()}, parsed_addresses=["10.0.0.3"])

    class Added:
        name = "Added"

    for number in range(200):
        hearing.changed(Mdns(), HUB, f"evil\x1b[2J\n{number}.{HUB}", Added)
    names = {hub.name for hub in hearing.hubs()}
    assert len(names) == MOST_HUBS
    assert "evil [2J 0" in names


def test_a_name_fits_a_label_whatever_its_letters():
    assert announcing._label("é" * 60, "0123456789ab") == f"{'é' * 25} 0123456789ab"
    assert announcing._label(" \x00 ", "0123456789ab") == "0123456789ab"
    assert announcing._label("Attic", "0123456789ab") == "Attic 0123456789ab"
