"""What the dashboard is given, over a real database, a real server and people who are signed in."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from alert_parts import Receiver, mail_server
from openapi_core import OpenAPI

from dashboard_parts import CAMERA, TOKEN, DashboardHub, Stream
from moodify.cloud.keys import device_of, line_of
from moodify.errors import RetryLater
from moodify.hub.alerts.port import ChannelKind
from moodify.hub.alerts.rules import RuleKind
from summaries import item, new_key, summary
from tls import make_certificate
from waiting import wait_until

HOUR = timedelta(hours=1)
STRANGER = "m-" + "z" * 16


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """One for all tests, each with devices of its own."""
    hub = DashboardHub(tmp_path_factory.mktemp("dashboard"), webhook_networks=("127.0.0.1",))
    yield hub
    hub.close()


@pytest.fixture(scope="module")
def owner(hub):
    return hub.owner()


@pytest.fixture(scope="module")
def member(hub):
    return hub.member()


@pytest.fixture
def device(hub):
    return hub.enrol(f"Kitchen {uuid.uuid4()}")


@pytest.fixture
def stream(owner):
    stream = Stream(owner)
    yield stream
    stream.close()


def card(now, device):
    return next((one for one in now["devices"] if one["id"] == device), None)


def refused(answer, status):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.json()["detail"]


# Devices.


def test_a_device_is_shown_with_all_that_it_said_of_itself(hub, owner, device):
    hub.come(device)
    shown = owner.get(f"/api/devices/{device}").json()
    assert (shown["state"], shown["last_seen"]) == ("online", None)
    assert (shown["now"]["mood"], shown["now"]["title"], shown["now"]["playing"]) == ("calm", "Weightless", True)
    assert shown["camera"] == CAMERA
    assert shown["health"]["disk_free_mb"] == 21_400


def test_a_device_that_never_came_is_new_and_one_that_went_is_offline_since(hub, owner, device):
    assert owner.get(f"/api/devices/{device}").json()["state"] == "new"
    hub.come(device)
    hub.go(device)
    shown = owner.get(f"/api/devices/{device}").json()
    assert shown["state"] == "offline"
    assert datetime.now(UTC) - datetime.fromisoformat(shown["last_seen"]) < HOUR


@pytest.mark.parametrize(
    "said",
    [{"mood": {"a": 1}, "playing": "yes", "confidence": True, "title": 7}, {"mood": None}, {}],
)
def test_what_a_device_should_not_say_is_not_shown(hub, owner, device, said):
    hub.come(device)
    hub.say(device, "now", **said)
    hub.say(device, "state", camera="broken", speaker=[1], privacy="yes", version={})
    hub.say(device, "health", reasons=[1, "x" * 10_000], outbox=5, disk_free_mb=1.5)
    shown = owner.get(f"/api/devices/{device}").json()
    assert set(shown["now"].values()) == {None}
    assert (shown["camera"], shown["speaker"], shown["privacy"], shown["version"]) == (None, None, False, None)
    assert (shown["health"]["disk_free_mb"], [len(reason) for reason in shown["health"]["reasons"]]) == (None, [500])


def test_the_list_is_searched_by_name_and_id_and_ends_with_who_was_shut_out(hub, owner):
    name = str(uuid.uuid4())
    gone, there = hub.enrol(f"{name} a"), hub.enrol(f"{name} b")
    hub.database.registry.revoke(gone, datetime.now(UTC))
    found = owner.get("/api/devices", params={"q": name.upper()}).json()
    assert [(one["id"], one["state"]) for one in found["devices"]] == [(there, "new"), (gone, "revoked")]
    assert found["total"] == 2
    assert [one["id"] for one in owner.get("/api/devices", params={"q": there}).json()["devices"]] == [there]


def test_an_unknown_device_is_said_to_be_none(owner):
    for path in ("", "/moods", "/events"):
        assert STRANGER in refused(owner.get(f"/api/devices/{STRANGER}{path}"), 404)


def test_a_cache_that_is_away_is_said(hub, owner, device, monkeypatch):
    def away(_device):
        raise RetryLater("the cache is away")

    monkeypatch.setattr(hub.states, "get", away)
    assert refused(owner.get(f"/api/devices/{device}"), 503) == "the cache is away"


# Looking back.


def test_a_day_is_folded_from_what_the_device_sent(hub, owner, device):
    hub.feel(device, "happy", 4 * HOUR)
    hub.feel(device, "calm", 3 * HOUR)
    hub.send(device, "camera", datetime.now(UTC) - 2 * HOUR, state="off", message="privacy")
    hub.feel(device, "sad", HOUR)
    day = owner.get(f"/api/devices/{device}/moods").json()
    assert [one["mood"] for one in day["moods"]] == ["happy", "calm", "sad"]
    assert [one["why"] for one in day["unseen"]] == ["off", "privacy"]
    assert [one["mood"] for one in owner.get("/api/bands").json()["bands"][device]] == ["happy", "calm", "sad"]
    hours = owner.get(f"/api/devices/{device}/moods", params={"hours": 2}).json()
    assert [one["mood"] for one in hours["moods"]] == ["sad"]


def test_of_a_device_that_went_nothing_is_known_from_then_on(hub, owner, device):
    came, went = datetime.now(UTC) - 90 * HOUR / 60, datetime.now(UTC) - HOUR
    data = {"mood": "unsure", "confidence": 0.2, "valence": 0.0, "arousal": 0.0, "people": 1}
    hub.database.intake.commit([summary(device, 1, item(str(uuid.uuid4()), at=came.isoformat(), **data))], came)
    hub.states.put(device, "status", {"state": "offline"}, went)
    day = owner.get(f"/api/devices/{device}/moods").json()
    (felt,), (_, off) = day["moods"], day["unseen"]
    assert felt["to"] == off["from"] == went.isoformat(timespec="seconds").replace("+00:00", "Z")
    assert (off["why"], off["to"]) == ("off", day["to"][:19] + "Z")
    assert owner.get("/api/bands").json()["bands"][device][0]["to"] == felt["to"]


def test_what_was_heard_lies_under_it(hub, owner, device):
    at = datetime.now(UTC) - HOUR
    track = {"uri": "spotify:track:1", "title": "Weightless", "artist": "Marconi Union", "duration_ms": 480_000}
    hub.send(device, "decision", at, act="play", mood="calm", reason="Calm.", track=track, order="o1")
    hub.send(device, "order", at, order="o1", act="play", status="done", track=track, took_ms=90, message=None)
    (song,) = owner.get(f"/api/devices/{device}/moods").json()["songs"]
    assert (song["title"], song["reason"]) == ("Weightless", "Calm.")


@pytest.mark.parametrize(
    ("kind", "data"),
    [("mood", {}), ("mood", {"mood": "furious"}), ("order", {"status": "done", "act": "play", "track": [1]}), ("order", {"status": [], "track": {"title": 1}}), ("other", {})],
)
def test_events_that_are_none_of_their_kind_spoil_nothing(hub, owner, device, kind, data):
    hub.feel(device, "calm", HOUR)
    hub.send(device, kind, datetime.now(UTC), **data)
    assert [one["mood"] for one in owner.get(f"/api/devices/{device}/moods").json()["moods"]] == ["calm"]
    assert len(owner.get(f"/api/devices/{device}/events").json()["events"]) == 2


def test_what_happened_is_told_in_words_page_by_page(hub, owner, device):
    for hours in (3, 2, 1):
        hub.feel(device, "calm", hours * HOUR)
    first = owner.get(f"/api/devices/{device}/events", params={"limit": 2}).json()
    assert [one["text"] for one in first["events"]] == ["The room feels calm, 91% sure."] * 2
    rest = owner.get(f"/api/devices/{device}/events", params={"limit": 2, "before": first["next"]}).json()
    assert (len(rest["events"]), rest["next"]) == (1, None)


# Live.


def test_who_watches_sees_a_device_come_and_go(hub, stream, device):
    assert card(stream.until(lambda now: card(now, device)), device)["state"] == "new"
    hub.come(device)
    stream.until(lambda now: card(now, device)["state"] == "online")
    hub.go(device)
    assert card(stream.until(lambda now: card(now, device)["state"] == "offline"), device)["last_seen"]
    hub.database.registry.revoke(device, datetime.now(UTC))
    stream.until(lambda now: card(now, device) is None)


def test_who_watches_sees_what_another_process_has_stored(hub, stream, device):
    stream.until(lambda now: card(now, device))
    hub.feel(device, "calm", timedelta())
    stream.until(lambda now: card(now, device)["state"] == "offline")


def test_who_watches_sees_alerts(hub, stream, device):
    hub.database.alerts.raise_alert(device, RuleKind.OFFLINE, "It is offline.", datetime.now(UTC))
    now = stream.until(lambda now: any(alert["device"] == device for alert in now["alerts"]))
    assert [alert["words"] for alert in now["alerts"] if alert["device"] == device] == ["It is offline."]
    hub.database.alerts.withdraw(device, datetime.now(UTC))
    stream.until(lambda now: not any(alert["device"] == device for alert in now["alerts"]))


def test_who_watches_is_told_that_the_database_is_away_and_sees_what_was(hub, stream, device, monkeypatch):
    def away():
        raise RetryLater("the database is away")

    stream.until(lambda now: card(now, device))
    monkeypatch.setattr(hub.database.alerts, "open", away)
    assert card(stream.until(lambda now: now["trouble"] == "the database is away"), device)
    monkeypatch.undo()
    stream.until(lambda now: now["trouble"] is None)


def test_nothing_is_looked_at_while_nobody_watches(hub, owner, monkeypatch):
    stream = Stream(owner)
    stream.next()
    stream.close()
    wait_until(lambda: not hub.people._board._watchers)
    asked = []
    revision = hub.database.registry.revision
    monkeypatch.setattr(hub.database.registry, "revision", lambda: asked.append(1) or revision())
    hub.people._board.look()
    assert asked == [1]


# Who may.


def test_a_member_looks_and_changes_nothing(hub, member, device):
    for path in ("/api/devices", f"/api/devices/{device}", f"/api/devices/{device}/moods", "/api/bands", "/api/alerts", "/v1/devices", f"/v1/devices/{device}/commands"):
        assert member.get(path).status_code == 200, path
    key = new_key()
    channel = hub.database.alerts.add_channel(ChannelKind.EMAIL, f"{uuid.uuid4()}@example.org", None, datetime.now(UTC))
    asked = [
        ("POST", "/v1/devices", {"id": device_of(key), "public_key": line_of(key)}),
        ("POST", f"/v1/devices/{device}/commands", {"name": "rescan", "args": {}}),
        ("PATCH", f"/v1/devices/{device}", {"name": "Mine"}),
        ("DELETE", f"/v1/devices/{device}", {}),
        ("PUT", "/api/alerts/rules/disk", {"enabled": False, "limit": 500}),
        ("POST", "/api/alerts/channels", {"kind": "email", "target": "eve@example.org"}),
        ("DELETE", f"/api/alerts/channels/{channel.id}", {}),
        ("POST", f"/api/alerts/channels/{channel.id}/test", {}),
    ]
    for method, path, body in asked:
        assert "owner" in refused(member.request(method, path, json=body), 403)
    assert hub.database.registry.device(device).revoked is None
    assert channel.id in {one.id for one in hub.database.alerts.channels()}
    assert member.get("/api/alerts").json()["channels"] == []


def test_an_owner_enrols_commands_and_shuts_out(hub, owner):
    key = new_key()
    device = device_of(key)
    assert owner.post("/v1/devices", json={"id": device, "public_key": line_of(key), "name": "Hall"}).status_code == 201
    assert owner.patch(f"/v1/devices/{device}", json={"name": "Attic"}).json()["name"] == "Attic"
    assert owner.get(f"/api/devices/{device}").json()["name"] == "Attic"
    order = owner.post(f"/v1/devices/{device}/commands", json={"name": "rescan", "args": {}}).json()
    hub.database.commands.answered(device, order["id"], status="ok", error=None, data={}, now=datetime.now(UTC))
    assert owner.get(f"/v1/commands/{order['id']}").json()["state"] == "ok"
    assert owner.request("DELETE", f"/v1/devices/{device}", json={}).status_code == 200
    assert owner.get(f"/api/devices/{device}").json()["state"] == "revoked"


def test_the_admin_token_may_set_alerts_too(hub):
    program = hub.program()
    assert program.put("/api/alerts/rules/disk", json={"enabled": True, "limit": 600}).status_code == 200
    assert TOKEN not in program.get("/api/alerts").text


# Alerts.


def test_a_rule_is_kept_within_its_bounds(owner):
    assert owner.put("/api/alerts/rules/offline", json={"enabled": True, "limit": 3}).json()["limit"] == 3
    for wrong in ({"enabled": True, "limit": 0}, {"enabled": True, "limit": 20_000}, {"enabled": True}, {"enabled": True, "limit": 3, "more": 1}):
        refused(owner.put("/api/alerts/rules/offline", json=wrong), 422)
    assert refused(owner.put("/api/alerts/rules/weather", json={"enabled": True, "limit": 3}), 422)
    (rule,) = (one for one in owner.get("/api/alerts").json()["rules"] if one["kind"] == "offline")
    assert (rule["limit"], rule["unit"], rule["least"], rule["most"]) == (3, "minutes", 1, 10_080)


def test_a_webhooks_url_and_secret_are_shown_once_and_a_test_gets_there(hub, owner):
    with Receiver() as receiver:
        added = owner.post("/api/alerts/channels", json={"kind": "webhook", "target": f"http://127.0.0.1:{receiver.port}/the-secret-part"}).json()
        assert added["secret"]
        assert added["shown"] == f"http://127.0.0.1:{receiver.port}/…"
        again = owner.post("/api/alerts/channels", json={"kind": "webhook", "target": f"http://127.0.0.1:{receiver.port}/the-secret-part"}).json()
        assert (again["id"], again["secret"]) == (added["id"], None)
        said = owner.get("/api/alerts").text
        assert added["secret"] not in said
        assert "the-secret-part" not in said
        assert owner.post(f"/api/alerts/channels/{added['id']}/test", json={}).json() == {"over": True, "error": None}
        assert [body["event"] for body in receiver.said()] == ["test"]
    tried = owner.post(f"/api/alerts/channels/{added['id']}/test", json={}).json()
    assert "can't be reached" in tried["error"]
    assert "the-secret-part" not in tried["error"]
    assert owner.request("DELETE", f"/api/alerts/channels/{added['id']}", json={}).status_code == 204
    refused(owner.request("DELETE", f"/api/alerts/channels/{added['id']}", json={}), 404)
    refused(owner.post(f"/api/alerts/channels/{added['id']}/test", json={}), 404)


@pytest.mark.parametrize(
    "target", [{"kind": "email", "target": "no address"}, {"kind": "email", "target": "a@b.example\r\nBcc: c@d.example"}, {"kind": "webhook", "target": "file:///etc/passwd"}]
)
def test_what_is_no_address_is_refused(owner, target):
    refused(owner.post("/api/alerts/channels", json=target), 422)


@pytest.mark.parametrize(
    ("target", "words"), [("http://192.168.1.5/hook", "webhook_networks in hub.toml"), ("https://[::1]/", "webhook_networks"), ("http://8.8.8.8/", "write https://")]
)
def test_a_webhook_that_may_not_go_there_is_refused_when_it_is_added(owner, target, words):
    before = owner.get("/api/alerts").json()["channels"]
    assert words in refused(owner.post("/api/alerts/channels", json={"kind": "webhook", "target": target}), 409)
    assert owner.get("/api/alerts").json()["channels"] == before


def test_a_webhook_whose_name_is_not_known_now_may_be_later(owner):
    added = owner.post("/api/alerts/channels", json={"kind": "webhook", "target": "https://nowhere.invalid/hook"}).json()
    assert added["shown"] == "https://nowhere.invalid/…"
    assert owner.request("DELETE", f"/api/alerts/channels/{added['id']}", json={}).status_code == 204


def test_without_a_mail_server_a_test_says_what_to_do(owner):
    added = owner.post("/api/alerts/channels", json={"kind": "email", "target": "Ada@Example.org"}).json()
    assert (added["shown"], added["secret"]) == ("ada@example.org", None)
    assert owner.get("/api/alerts").json()["mail"] is False
    assert "mail_host" in owner.post(f"/api/alerts/channels/{added['id']}/test", json={}).json()["error"]


def test_from_a_device_that_goes_to_the_mail_and_back_to_the_all_clear(tmp_path):
    files = make_certificate(tmp_path / "certificate")
    (tmp_path / "password").write_text("correct horse")
    (tmp_path / "password").chmod(0o600)
    with mail_server(files, password="correct horse") as server:
        mail = {"mail_host": "127.0.0.1", "mail_port": server.port, "mail_from": "moodify@example.org", "mail_ca_file": files[0], "mail_user": "moodify"}
        hub = DashboardHub(tmp_path / "hub", **mail, mail_password_file=tmp_path / "password")
        try:
            owner, device = hub.owner(), hub.enrol()
            owner.post("/api/alerts/channels", json={"kind": "email", "target": "ada@example.org"})
            hub.come(device)
            hub.say(device, "health", ok=True, reasons=[], disk_free_mb=100)
            hub.people.watch.look()
            wait_until(lambda: len(server.mails) == 1)
            hub.people.watch.look()
            hub.say(device, "health", ok=True, reasons=[], disk_free_mb=9000)
            hub.people.watch._calm = timedelta()
            hub.people.watch.look()
            wait_until(lambda: len(server.mails) == 2)
            wait_until(lambda: not owner.get("/api/alerts").json()["open"])
        finally:
            hub.close()
    subjects = [next(line for line in text.splitlines() if line.startswith("Subject")) for _, _, text in server.mails]
    assert subjects == ["Subject: Moodify: Kitchen is short of disk", "Subject: Moodify: Kitchen has room on its disk again"]


def test_every_route_is_described_and_none_is_answered_without_a_session(hub):
    OpenAPI.from_dict(hub.schema)
    stranger = hub.client()
    asked = 0
    for path, methods in hub.schema["paths"].items():
        if not path.startswith(("/api/alerts", "/api/devices", "/api/bands", "/api/stream")):
            continue
        for method in methods:
            refused(stranger.request(method, path.format(device_id=STRANGER, channel_id=uuid.uuid4(), kind="disk"), json={}), 401)
            asked += 1
    assert asked == 11
