"""Who may come in: the rules of the registry, on SQLite and on PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from moodify.cloud.keys import device_of, enrolled_as, kid_of, line_of, pem_of
from moodify.errors import EnrolmentRefused, NoSuchDevice
from moodify.hub.port import DeviceKey
from summaries import DAY, NOW, enrolled, new_key


@pytest.fixture
def registry(database):
    return database.registry


@pytest.fixture
def first():
    return new_key()


@pytest.fixture
def device(registry, first):
    return registry.enrol(device_of(first), pem_of(first), NOW, name="Kitchen").id


def kids(registry, device):
    return [key.kid for key in registry.device(device).keys]


def test_who_is_enrolled_is_known_with_the_key(registry, first, device):
    found = registry.device(device)
    assert (found.name, found.enrolled, found.revoked) == ("Kitchen", NOW, None)
    assert found.keys == (DeviceKey(kid_of(first), pem_of(first), NOW),)


def test_nobody_else_is(registry, device):
    assert registry.device("m-aaaaaaaaaaaaaaaa") is None


@pytest.mark.parametrize("nonsense", ["", "m-\0", "m-\ud800", "' OR 1=1 --", "m" * 10_000])
def test_what_is_no_id_is_not_known_either(registry, device, nonsense):
    assert registry.device(nonsense) is None
    with pytest.raises(NoSuchDevice, match="moodify hub devices"):
        registry.revoke(nonsense, NOW)
    with pytest.raises(EnrolmentRefused, match="no device's id"):
        registry.enrol(nonsense, pem_of(new_key()), NOW)
    with pytest.raises(EnrolmentRefused, match="not enrolled"):
        registry.add_key(nonsense, pem_of(new_key()), NOW)


def test_devices_are_listed_by_name_and_one_without_a_name_by_its_id(registry, database):
    hall, attic, nameless = enrolled(database, name="Hall"), enrolled(database, name="Attic"), enrolled(database)
    assert [each.id for each in registry.devices()] == [attic, hall, nameless]
    assert registry.device(nameless).name == nameless


def test_a_device_is_called_something_else_and_by_its_id_where_nothing_is_left(registry, device):
    before = registry.revision()
    assert registry.rename(device, " Küche ").name == registry.device(device).name == "Küche"
    assert registry.revision() > before
    assert registry.rename(device, "  ").name == device
    with pytest.raises(NoSuchDevice, match="moodify hub devices"):
        registry.rename("m-aaaaaaaaaaaaaaaa", "Hall")


def test_a_line_with_a_slip_of_a_letter_lets_nobody_in_and_the_right_one_does(registry, first):
    device, line = device_of(first), line_of(first)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for slip in letters.replace(line[-1], ""):
        with pytest.raises(EnrolmentRefused, match="moodify device enroll"):
            registry.enrol(device, line[:-1] + slip, NOW)
    with pytest.raises(EnrolmentRefused, match="moodify device enroll"):
        registry.enrol(device_of(new_key()), line, NOW)
    assert registry.enrol(device, line, NOW).id == device


def test_a_device_that_changed_its_key_is_let_in_by_its_line_too(registry, first):
    changed, device = new_key(), device_of(first)
    line = enrolled_as(device, changed)
    with pytest.raises(EnrolmentRefused, match="no public key"):
        registry.enrol(device, line[:40] + ("x" if line[40] != "x" else "y") + line[41:], NOW)
    assert [key.kid for key in registry.enrol(device, line, NOW).keys] == [kid_of(changed)]


def test_a_name_that_no_database_takes_is_made_readable(registry, database):
    assert registry.device(enrolled(database, name=" Hall\0way\ud800 ")).name == "Hall way "


def test_the_short_form_of_a_key_is_taken_too(registry, first):
    assert kids(registry, registry.enrol(device_of(first), line_of(first), NOW).id) == [kid_of(first)]


def test_enrolling_again_changes_nothing(registry, first, device):
    before = registry.device(device), registry.revision()
    registry.enrol(device, pem_of(first), NOW + DAY, name="Bath")
    assert (registry.device(device), registry.revision()) == before


def test_another_key_does_not_take_a_device_over(registry, first, device):
    with pytest.raises(EnrolmentRefused, match=f"moodify hub revoke {device}"):
        registry.enrol(device, pem_of(new_key()), NOW)
    assert kids(registry, device) == [kid_of(first)]


def test_a_key_belongs_to_one_device(registry, first, device, database):
    other = enrolled(database)
    for attempt in (lambda: registry.add_key(other, pem_of(first), NOW), lambda: registry.enrol("m-aaaaaaaaaaaaaaaa", pem_of(first), NOW)):
        with pytest.raises(EnrolmentRefused, match=f"belongs to {device}"):
            attempt()
    assert registry.device("m-aaaaaaaaaaaaaaaa") is None


@pytest.mark.parametrize("no_key", ["", "nonsense", pem_of(new_key())[:60], ec.generate_private_key(ec.SECP384R1()).public_key()])
def test_what_is_no_p256_key_is_refused(registry, device, no_key):
    text = no_key if isinstance(no_key, str) else pem_of(no_key)
    for attempt in (lambda: registry.enrol("m-aaaaaaaaaaaaaaaa", text, NOW), lambda: registry.add_key(device, text, NOW)):
        with pytest.raises(EnrolmentRefused):
            attempt()


def test_while_rotating_both_keys_stand_until_the_next_is_used(registry, first, device):
    second = new_key()
    assert registry.add_key(device, pem_of(second), NOW + DAY) == DeviceKey(kid_of(second), pem_of(second), NOW + DAY)
    registry.used(device, kid_of(first), NOW)
    assert kids(registry, device) == [kid_of(first), kid_of(second)]
    registry.used(device, kid_of(second), NOW)
    assert kids(registry, device) == [kid_of(second)]


def test_a_third_key_takes_the_place_of_the_one_that_is_not_in_use(registry, first, device):
    second, third = new_key(), new_key()
    registry.add_key(device, pem_of(second), NOW)
    registry.add_key(device, pem_of(third), NOW)
    assert kids(registry, device) == [kid_of(first), kid_of(third)]
    registry.used(device, kid_of(second), NOW)
    assert kids(registry, device) == [kid_of(first), kid_of(third)]


def test_adding_a_key_again_changes_nothing(registry, first, device):
    second = new_key()
    added = registry.add_key(device, pem_of(second), NOW)
    before = registry.revision()
    assert registry.add_key(device, pem_of(second), NOW + DAY) == added
    assert registry.add_key(device, pem_of(first), NOW + DAY).kid == kid_of(first)
    assert (kids(registry, device), registry.revision()) == ([kid_of(first), kid_of(second)], before)


def test_a_revoked_device_has_no_key_and_gets_none(registry, device):
    registry.revoke(device, NOW + DAY)
    found = registry.device(device)
    assert (found.revoked, found.keys) == (NOW + DAY, ())
    with pytest.raises(EnrolmentRefused, match="not enrolled"):
        registry.add_key(device, pem_of(new_key()), NOW)


def test_revoking_again_leaves_the_first_date(registry, device):
    registry.revoke(device, NOW)
    registry.revoke(device, NOW + DAY)
    assert registry.device(device).revoked == NOW


def test_a_revoked_device_comes_back_with_whatever_key_it_has_and_keeps_its_name(registry, device):
    registry.revoke(device, NOW)
    fresh = new_key()
    back = registry.enrol(device, pem_of(fresh), NOW + DAY)
    assert (back.name, back.revoked, back.enrolled, [key.kid for key in back.keys]) == ("Kitchen", None, NOW + DAY, [kid_of(fresh)])


def test_each_change_shows_in_the_revision_and_a_sign_in_with_the_only_key_is_none(registry, first):
    second, device = new_key(), device_of(first)
    steps = [
        (lambda: registry.enrol(device, pem_of(first), NOW), True),
        (lambda: registry.used(device, kid_of(first), NOW), False),
        (lambda: registry.used(device, "unheard-of", NOW), False),
        (lambda: registry.add_key(device, pem_of(second), NOW), True),
        (lambda: registry.used(device, kid_of(second), NOW), True),
        (lambda: registry.used(device, kid_of(second), NOW), False),
        (lambda: registry.revoke(device, NOW), True),
        (lambda: registry.revoke(device, NOW), False),
    ]
    for number, (step, changes) in enumerate(steps):
        before = registry.revision()
        step()
        assert (registry.revision() > before) == changes, number


def test_of_many_keys_offered_at_once_for_one_device_one_stands(registry):
    keys = [new_key() for _ in range(8)]

    def enrol(key):
        try:
            return registry.enrol("m-aaaaaaaaaaaaaaaa", pem_of(key), NOW).keys[0].kid
        except EnrolmentRefused:
            return None

    with ThreadPoolExecutor(8) as threads:
        taken = [kid for kid in threads.map(enrol, keys) if kid is not None]
    assert taken == kids(registry, "m-aaaaaaaaaaaaaaaa")
    assert len(taken) == 1
