"""What the API answers, over a real database."""

from __future__ import annotations

import json
import re
import threading
import uuid
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hub_parts import Unwell
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_core import Config, OpenAPI
from openapi_core.templating.paths.exceptions import OperationNotFound, PathNotFound
from openapi_core.testing import MockRequest, MockResponse

from moodify.cloud.keys import device_of, line_of, pem_of
from moodify.errors import RetryLater, StoreBusy
from moodify.hub.api import waits
from moodify.hub.api.admin import FAILURES_PER_MINUTE, Admin, hash_of, new_token
from moodify.hub.api.app import create_api
from moodify.hub.api.commands import WAITING_AT_MOST
from moodify.hub.api.guard import MAX_BODY_BYTES
from moodify.hub.cache import open_states
from moodify.hub.database import open_database
from moodify.hub.metrics import Metrics
from moodify.web.certificate import server_context
from moodify.web.problems import Problem
from moodify.web.server import HttpServer, Words
from moodify.web.session import is_public
from signed_in import ADA, claim, memory_accounts
from summaries import NOW, enrolled, item, summary
from tls import make_certificate
from waiting import wait_until

TOKEN = new_token()
STRANGER = "m-" + "z" * 16


_DESCRIPTIONS = []


def described(app):
    """Return the judge of answers; there is one, for every application has the same schema."""
    if not _DESCRIPTIONS:
        config = Config(extra_media_type_deserializers={"application/problem+json": json.loads})
        _DESCRIPTIONS.append(OpenAPI.from_dict(app.openapi() | {"servers": [{"url": "http://hub"}]}, config=config))
    return _DESCRIPTIONS[0]


class Api:
    """A hub's API on loopback, with levers for what it looks at."""

    def __init__(self, folder):
        self.database = open_database(folder / "hub.db")
        self.states = open_states(None, 3600)
        self.metrics = Metrics()
        self.connected = set()
        self.parts = {"database": None, "mosquitto": None, "gate": None, "collector-1": None}
        self.woken = 0
        self.accounts = memory_accounts("moodify-hub")
        self.database_commands = Unwell(self.database.commands)
        self.shown_states = Unwell(self.states)
        self.app = create_api(
            self.database.registry,
            self.database_commands,
            self.database.events,
            self.shown_states,
            gate_connected=lambda: frozenset(self.connected),
            admin_hashes=lambda: (hash_of(TOKEN),),
            metrics=self.metrics,
            ready=lambda: self.parts,
            accounts=self.accounts,
            on_command=self._wake,
        )
        self._description = described(self.app)
        self.server = HttpServer(self.app, "127.0.0.1", 0, words=Words("API", "api_host", "api_port", "in hub.toml", "Start it again."), end_streams=self.app.state.close)
        self.server.start()
        self.admin = self.client(Authorization=f"Bearer {TOKEN}")
        self.stranger = self.client()

    def client(self, **headers):
        """Return a client whose every answer must be as the schema describes it."""
        return httpx.Client(base_url=self.server.url, headers=headers, trust_env=False, timeout=40, event_hooks={"response": [self._judge]})

    def _judge(self, answer):
        answer.read()
        asked = MockRequest("http://hub", answer.request.method.lower(), answer.request.url.raw_path.decode().partition("?")[0])
        kind = answer.headers.get("content-type", "").partition(";")[0]
        try:
            self._description.validate_response(asked, MockResponse(answer.content, answer.status_code, dict(answer.headers), kind))
        except (PathNotFound, OperationNotFound):
            assert answer.status_code in {401, 403, 404, 405, 411, 413, 429} or answer.request.url.path in {"/", "/openapi.json"}

    def _wake(self):
        self.woken += 1

    def close(self):
        self.admin.close()
        self.stranger.close()
        self.server.stop()
        self.states.close()
        self.database.close()


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    """One for all tests that leave it as it was, but for a device of their own."""
    api = Api(tmp_path_factory.mktemp("api"))
    yield api
    api.close()


@pytest.fixture
def new_api(tmp_path):
    """One for a test alone."""
    api = Api(tmp_path)
    yield api
    api.close()


@pytest.fixture
def device(api):
    api.woken = 0
    return enrolled(api.database, name="Kitchen")


def problem(answer, status):
    """Check that an answer is a problem of a status with a next step, and return what it says."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    return answer.json()["detail"]


# Who may ask.


def test_nothing_of_the_schema_is_answered_without_token_or_session_but_what_is_public(api):
    paths = api.stranger.get("/openapi.json").json()["paths"]
    asked = 0
    for path, methods in paths.items():
        for method in methods:
            if is_public(method.upper(), path):
                continue
            filled = path.format(device_id=STRANGER, command_id=uuid.uuid4(), session_id=uuid.uuid4(), user_id=uuid.uuid4(), code_id=uuid.uuid4())
            answer = api.stranger.request(method, filled, content=b"{", headers={"Content-Type": "application/json", "X-Moodify": "1"})
            asked += 1
            problem(answer, 401)
            assert path.startswith(("/v1", "/metrics")) == answer.headers.get("www-authenticate", "").startswith("Bearer")
    assert asked >= 25


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/v1", "/v1/devices/", "/healthz/", "/v1%2F..%2Fhealthz", "/api/nothing", "/metrics"])
def test_what_is_not_there_is_not_told_without_the_token(api, path):
    problem(api.stranger.get(path), 401)


def test_the_dashboard_is_served_to_anybody_and_shows_nothing_by_itself(api):
    page = api.stranger.get("/")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "m-" not in re.sub(r"<[^>]*>", "", page.text)


def test_an_owner_who_is_signed_in_may_what_the_token_may_and_a_member_looks(new_api):
    device = enrolled(new_api.database)
    with new_api.client(**{"X-Moodify": "1"}) as owner, new_api.client(**{"X-Moodify": "1"}) as member:
        claim(owner, new_api.accounts.make_claim_code())
        code = owner.post("/api/invitations", json={"first_name": "Bob"}).json()["code"]
        assert member.post("/api/claim", json=ADA | {"email": "bob@example.org", "code": code}).status_code == 201
        for client in (owner, member):
            assert client.get(f"/v1/devices/{device}").status_code == 200
        for method, path, body in (("DELETE", f"/v1/devices/{device}", None), ("POST", f"/v1/devices/{device}/commands", {"name": "rescan"})):
            assert "owner" in problem(member.request(method, path, json=body), 403)
        assert owner.post(f"/v1/devices/{device}/commands", json={"name": "rescan"}).status_code == 202
        assert owner.delete(f"/v1/devices/{device}").status_code == 200


def test_the_admin_token_is_no_person(api):
    assert "signed in" in problem(api.admin.get("/api/me"), 403)


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer  "])
def test_the_scheme_is_read_as_http_reads_it(api, scheme):
    assert api.stranger.get("/v1/devices", headers={"Authorization": f"{scheme} {TOKEN}"}).status_code == 200


@pytest.mark.parametrize("header", ["", "Bearer", "Basic TOKEN", "TOKEN", "Bearer TOKENx", "Bearer HASH", "Bearer \xff"])
def test_another_token_is_refused(api, header):
    header = header.replace("TOKEN", TOKEN).replace("HASH", hash_of(TOKEN)).encode("latin-1")
    assert "moodify hub init" in problem(api.stranger.get("/v1/devices", headers={"Authorization": header}), 401)


def test_who_guesses_has_to_wait_and_locks_nobody_out(new_api, caplog):
    wrong = {"Authorization": "Bearer wrong"}
    answers = [new_api.stranger.get("/v1/devices", headers=wrong) for _ in range(FAILURES_PER_MINUTE + 5)]
    assert [answer.status_code for answer in answers] == [401] * FAILURES_PER_MINUTE + [429] * 5
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert len([record for record in caplog.records if "wrong admin token" in record.message]) == FAILURES_PER_MINUTE
    assert TOKEN not in caplog.text
    assert new_api.admin.get("/v1/devices").status_code == 200


@pytest.mark.parametrize(("other", "status"), [("2001:db8::ffff", 429), ("2001:db8:0:1::1", 401), ("192.0.2.1", 401)])
def test_wrong_tokens_of_one_network_of_ipv6_count_together(other, status):
    admin = Admin(tuple)
    for number in range(FAILURES_PER_MINUTE):
        with pytest.raises(Problem):
            admin.check("Bearer wrong", f"2001:db8::{number:x}")
    with pytest.raises(Problem) as refused:
        admin.check("Bearer wrong", other)
    assert refused.value.status == status


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "evil.example:8090", "[::2]", ""])
def test_a_name_that_was_rebound_to_loopback_is_not_answered(api, host):
    for path in ("/healthz", "/metrics", "/v1/devices"):
        problem(api.admin.get(path, headers={"Host": host}), 403)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8090", "LOCALHOST", "[::1]:8090"])
def test_each_name_of_loopback_is_answered(api, host):
    assert api.admin.get("/v1/devices", headers={"Host": host}).status_code == 200


def test_a_body_beyond_bounds_is_not_read(api):
    problem(api.admin.post("/v1/devices", content=b"x" * (MAX_BODY_BYTES + 1)), 413)
    problem(api.admin.post("/v1/devices", content=iter([b"{}"])), 411)


def test_answers_are_not_stored_and_not_framed(api):
    headers = api.admin.get("/v1/devices").headers
    assert (headers["cache-control"], headers["x-content-type-options"]) == ("no-store", "nosniff")
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


def test_the_schema_shows_an_example_of_everything_that_is_taken_and_given(api):
    schemas = api.app.openapi()["components"]["schemas"]
    bare = [
        f"{name}.{field}"
        for name, schema in schemas.items()
        for field, what in schema.get("properties", {}).items()
        if not ({"examples", "example", "const", "enum", "default"} & what.keys() or what.get("type") in {"boolean", "array"} or "examples" in schema)
    ]
    assert bare == []
    assert all(operation["description"] for path in api.app.openapi()["paths"].values() for operation in path.values())


# Health.


def test_the_hub_is_ready_when_every_part_is_and_says_which_is_not(new_api):
    assert new_api.stranger.get("/healthz").text == "ok"
    assert new_api.stranger.get("/readyz").json() == {"ready": True, "parts": new_api.parts}
    new_api.parts["mosquitto"] = "it has ended"
    answer = new_api.stranger.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"ready": False, "parts": {**new_api.parts, "mosquitto": "it has ended"}})


def test_metrics_count_requests_by_route_and_name_no_device(new_api):
    device = enrolled(new_api.database)
    new_api.metrics.watch_gate(lambda: {device}, lambda: {"accepted": 5, "open": 1, "refused_expired": 3})
    new_api.admin.get(f"/v1/devices/{device}")
    new_api.admin.request("BREW", f"/v1/devices/{device}/coffee")
    answer = new_api.admin.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'moodify_hub_api_requests_total{method="GET",route="/v1/devices/{device_id}",status="200"} 1.0' in answer.text
    assert 'moodify_hub_api_requests_total{method="other",route="other",status="404"} 1.0' in answer.text
    assert "moodify_hub_connections 1.0" in answer.text
    assert 'moodify_hub_sign_ins_refused_total{reason="expired"} 3.0' in answer.text
    assert 'moodify_hub_gate_total{what="accepted"} 5.0' in answer.text
    assert device not in answer.text


def test_an_encrypted_api_says_to_who_does_not_encrypt_where_it_is(api, tmp_path):
    words = Words("API", "api_host", "api_port", "in hub.toml", "Start it again.")
    with HttpServer(api.app, "127.0.0.1", 0, words=words, end_streams=lambda: None, tls=server_context(*make_certificate(tmp_path / "certificate"))) as server:
        answer = httpx.get(f"http://127.0.0.1:{server.port}/healthz", trust_env=False)
        assert (answer.status_code, answer.headers["location"]) == (308, f"{server.url}/healthz")


# Devices.


def test_a_device_is_enrolled_by_pem_or_by_the_line_that_it_prints(new_api):
    keys = [ec.generate_private_key(ec.SECP256R1()).public_key() for _ in range(2)]
    for key, text, name in zip(keys, (pem_of(keys[0]), line_of(keys[1])), ("Attic", None), strict=True):
        answer = new_api.admin.post("/v1/devices", json={"id": device_of(key), "public_key": text, "name": name})
        assert answer.status_code == 201
        assert answer.headers["location"] == f"/v1/devices/{device_of(key)}"
        assert (answer.json()["name"], answer.json()["online"], len(answer.json()["keys"])) == (name or device_of(key), False, 1)
        assert new_api.admin.get(answer.headers["location"]).json()["id"] == device_of(key)
    listed = new_api.admin.get("/v1/devices").json()
    assert (listed["total"], {one["id"] for one in listed["devices"]}) == (2, {device_of(key) for key in keys})


@pytest.mark.parametrize(
    "body",
    [
        {"id": STRANGER, "public_key": "no key"},
        {"id": STRANGER, "public_key": "LINE"},
        {"id": "kitchen", "public_key": "KEY"},
        {"id": STRANGER},
        {"id": 1, "public_key": "KEY"},
        [],
        "",
        None,
    ],
)
def test_what_is_no_enrolment_is_refused_with_the_next_step(api, body):
    if isinstance(body, dict) and body.get("public_key") == "KEY":
        body = {**body, "public_key": pem_of(ec.generate_private_key(ec.SECP256R1()).public_key())}
    if isinstance(body, dict) and body.get("public_key") == "LINE":
        body = {**body, "public_key": line_of(ec.generate_private_key(ec.SECP256R1()).public_key())}
    before = api.database.registry.revision()
    problem(api.admin.post("/v1/devices", json=body), 422)
    assert api.database.registry.revision() == before


def test_devices_come_in_pages(new_api):
    ids = [enrolled(new_api.database, name=f"Room {number}") for number in range(7)]
    pages = [new_api.admin.get("/v1/devices", params={"limit": 3, "offset": offset}).json() for offset in (0, 3, 6, 9)]
    assert [[one["id"] for one in page["devices"]] for page in pages] == [ids[:3], ids[3:6], ids[6:], []]
    assert {page["total"] for page in pages} == {7}


def test_a_device_shows_its_states_streams_and_gaps(api, device):
    api.database.intake.commit([summary(device, seq) for seq in (1, 2, 5)], NOW)
    api.states.put(device, "now", {"mood": "calm"}, NOW + timedelta(minutes=1))
    shown = api.admin.get(f"/v1/devices/{device}").json()
    assert shown["streams"] == [{"epoch": "epoch-1", "last": 5, "received": 3, "gaps": [[3, 4]]}]
    assert shown["states"]["now"]["mood"] == "calm"
    assert datetime.fromisoformat(shown["last_seen"]) == (NOW + timedelta(minutes=1)).replace(microsecond=123000)
    assert api.admin.get(f"/v1/devices/{device}/states").json() == {"online": False, "states": shown["states"]}


@pytest.mark.parametrize(
    ("status", "age_s", "connected", "online"),
    [
        (None, 0, False, False),
        (None, 0, True, True),
        ("online", 0, False, True),
        ("online", 30, False, True),
        ("online", 70, False, False),
        ("online", 70, True, True),
        ("offline", 0, False, False),
        ("offline", 0, True, False),
    ],
)
def test_a_device_is_online_where_it_says_so_and_that_was_noted_within_a_minute_or_the_gate_holds_it(api, device, status, age_s, connected, online):
    if status is not None:
        api.states.put(device, "status", {"state": status}, datetime.now(UTC) - timedelta(seconds=age_s))
    if connected:
        api.connected.add(device)
    assert api.admin.get(f"/v1/devices/{device}").json()["online"] is online
    assert {one["id"]: one["online"] for one in api.admin.get("/v1/devices?limit=500").json()["devices"]}[device] is online


def test_a_cache_that_is_away_hides_states_and_nothing_else(new_api):
    device = enrolled(new_api.database)
    new_api.connected.add(device)
    new_api.shown_states.failure = RetryLater("the cache is away")
    shown = new_api.admin.get(f"/v1/devices/{device}").json()
    assert (shown["states"], shown["online"]) == ({}, True)
    assert problem(new_api.admin.get(f"/v1/devices/{device}/states"), 503) == "the cache is away"


def test_a_revoked_device_is_offline_and_its_history_stays(api, device):
    api.connected.add(device)
    api.states.put(device, "status", {"state": "online"}, datetime.now(UTC))
    api.database.intake.commit([summary(device, 1)], NOW)
    for _ in range(2):
        revoked = api.admin.delete(f"/v1/devices/{device}").json()
        assert (revoked["online"], revoked["keys"]) == (False, [])
        assert revoked["revoked"] is not None
    assert len(api.admin.get(f"/v1/devices/{device}/history").json()["events"]) == 1
    assert api.admin.get(f"/v1/devices/{device}").json()["states"] == {}
    assert api.states.get(device) == {}
    problem(api.admin.post(f"/v1/devices/{device}/commands", json={"name": "rescan"}), 404)


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("DELETE", ""), ("GET", "/states"), ("GET", "/history"), ("GET", "/commands"), ("POST", "/commands")])
def test_a_device_that_was_never_enrolled_is_not_found(api, method, path):
    for device in (STRANGER, "kitchen"):
        assert device in problem(api.admin.request(method, f"/v1/devices/{device}{path}", json={"name": "rescan"} if method == "POST" else None), 404)


# History.


def test_history_is_read_in_pages_both_ways(api, device):
    ids = [f"event-{number}" for number in range(25)]
    for number, one in enumerate(ids, start=1):
        api.database.intake.commit([summary(device, number, item(one, kind="mood" if number % 2 else "order"))], NOW)

    def walk(direction, **params):
        found, params = [], {"limit": 10, **params}
        while True:
            page = api.admin.get(f"/v1/devices/{device}/history", params=params).json()
            found += [event["id"] for event in page["events"]]
            if page["next"] is None:
                return found
            params[direction] = page["next"]

    assert walk("before") == ids[::-1]
    assert walk("after", after=0) == ids
    assert walk("before", kind="order") == ids[1::2][::-1]
    event = api.admin.get(f"/v1/devices/{device}/history", params={"limit": 1}).json()["events"][0]
    assert (event["device"], event["kind"], event["seq"], event["epoch"]) == (device, "mood", 25, "epoch-1")


def test_half_a_surrogate_pair_does_not_hide_history(api, device):
    api.database.intake.commit([summary(device, 1, item("e", note=json.loads('"\\ud800!"')))], NOW)
    assert api.admin.get(f"/v1/devices/{device}/history").json()["events"][0]["data"]["note"] == "?!"


@pytest.mark.parametrize("params", [{"before": 1, "after": 1}, {"limit": 501}, {"limit": 0}, {"before": -1}, {"after": 2**63}, {"kind": ""}, {"kind": "a/b"}, {"limit": "many"}])
def test_a_page_beyond_bounds_is_refused(api, device, params):
    problem(api.admin.get(f"/v1/devices/{device}/history", params=params), 422)


# Commands.


def give(api, device, **body):
    return api.admin.post(f"/v1/devices/{device}/commands", json={"name": "rescan"} | body)


def test_a_command_is_kept_and_the_dispatcher_woken(api, device):
    answer = give(api, device, name="mood", args={"mood": "calm"}, expires_s=30)
    assert answer.status_code == 202
    command = answer.json()
    assert answer.headers["location"] == f"/v1/commands/{command['id']}"
    assert (command["state"], command["args"]) == ("waiting", {"mood": "calm", "minutes": 60})
    assert datetime.fromisoformat(command["expires"]) - datetime.fromisoformat(command["created"]) == timedelta(seconds=30)
    assert api.woken == 1
    assert api.admin.get(f"/v1/devices/{device}/commands").json() == {"commands": [api.admin.get(answer.headers["location"]).json()]}


@pytest.mark.parametrize(
    "body",
    [
        {"name": "dance"},
        {"name": "Rescan"},
        {"name": None},
        {"args": None},
        {"args": []},
        {"args": {"id": "x"}},
        {"args": {"expires": "2036-01-01T00:00:00Z"}},
        {"name": "volume"},
        {"name": "volume", "args": {"percent": 101}},
        {"name": "volume", "args": {"percent": True}},
        {"name": "mood", "args": {"mood": "joyful"}},
        {"name": "goal", "args": {"goal": "calm", "because": "\ud800"}},
        {"expires_s": 4},
        {"expires_s": 3601},
        {"expires_s": "60"},
        {"expires_s": None},
        {"extra": 1},
    ],
)
def test_a_command_that_no_device_would_take_is_refused(api, device, body):
    content = json.dumps({"name": "rescan"} | body)
    problem(api.admin.post(f"/v1/devices/{device}/commands", content=content, headers={"Content-Type": "application/json"}), 422)
    assert api.database.commands.of(device) == []
    assert api.woken == 0


def test_a_device_that_answers_nothing_is_not_given_commands_without_end(api, device):
    assert [give(api, device).status_code for _ in range(WAITING_AT_MOST)] == [202] * WAITING_AT_MOST
    assert "Wait" in problem(give(api, device), 429)


def test_an_answer_is_waited_for_without_holding_up_others(api, device):
    command = give(api, device).json()["id"]
    found = []

    def ask():
        with api.client(Authorization=f"Bearer {TOKEN}") as client:
            found.append(client.get(f"/v1/commands/{command}?wait_s=25"))

    waiting = [threading.Thread(target=ask) for _ in range(10)]
    for thread in waiting:
        thread.start()
    wait_until(lambda: api.app.state.waits._waiting == len(waiting), what="ten that wait")
    assert api.admin.get("/v1/devices").status_code == 200
    api.database.commands.answered(device, command, status="ok", error=None, data={"faces": 1}, now=datetime.now(UTC))
    for thread in waiting:
        thread.join(30)
    assert [(answer.json()["state"], answer.json()["data"]) for answer in found] == [("ok", {"faces": 1})] * len(waiting)


def test_a_wait_ends_with_what_is_known(new_api):
    device = enrolled(new_api.database)
    command = give(new_api, device).json()["id"]
    assert new_api.admin.get(f"/v1/commands/{command}?wait_s=0.3").json()["state"] == "waiting"
    threading.Timer(0.2, new_api.app.state.waits.close).start()
    assert new_api.admin.get(f"/v1/commands/{command}?wait_s=25").json()["state"] == "waiting"


def test_more_waits_than_there_is_room_for_are_refused(api, device, monkeypatch):
    monkeypatch.setattr(waits, "WAITS_AT_MOST", 0)
    command = give(api, device).json()["id"]
    answer = api.admin.get(f"/v1/commands/{command}?wait_s=5")
    problem(answer, 503)
    assert answer.headers["retry-after"] == "1"
    assert api.admin.get(f"/v1/commands/{command}").json()["state"] == "waiting"


@pytest.mark.parametrize("query", ["wait_s=26", "wait_s=-1", "wait_s=nan", "wait_s=inf", "wait_s=x"])
def test_a_wait_beyond_bounds_is_refused(api, device, query):
    problem(api.admin.get(f"/v1/commands/{give(api, device).json()['id']}?{query}"), 422)


def test_a_command_that_there_is_not_is_not_found(api):
    problem(api.admin.get(f"/v1/commands/{uuid.uuid4()}?wait_s=5"), 404)
    problem(api.admin.get("/v1/commands/no-uuid"), 422)


# Failures.


def test_a_database_that_is_away_is_said_and_asked_to_be_tried_again(new_api):
    device = enrolled(new_api.database)
    new_api.database_commands.failure = StoreBusy("hub.db: database is locked; it is tried again", retry_after_s=3)
    answer = give(new_api, device)
    assert "locked" in problem(answer, 503)
    assert answer.headers["retry-after"] == "3"


def test_a_defect_is_logged_and_tells_nothing_of_the_inside(new_api, caplog):
    device = enrolled(new_api.database)
    new_api.database_commands.failure = ZeroDivisionError("the inside")
    assert "inside" in problem(give(new_api, device), 500)
    assert "the inside" not in give(new_api, device).text
    assert "ZeroDivisionError" in caplog.text


json_values = st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


@given(
    path=st.sampled_from(["/v1/devices", f"/v1/devices/{STRANGER}", "/v1/devices/{}", "/v1/devices/{}/history", "/v1/devices/{}/commands", "/v1/commands/{}"]),
    part=st.text(min_size=1, max_size=70),
    query=st.dictionaries(st.sampled_from(["limit", "offset", "before", "after", "kind", "wait_s"]), st.one_of(st.integers(), st.text(), st.floats(max_value=0))),
    method=st.sampled_from(["GET", "POST", "DELETE", "PUT"]),
    body=st.binary(max_size=200) | json_values.map(lambda value: json.dumps(value).encode()),
)
@settings(max_examples=150, deadline=None)
def test_no_request_ends_in_a_defect(api, path, part, query, method, body):
    try:
        url = httpx.URL(path=path.format(part), params=query)
    except (httpx.InvalidURL, UnicodeEncodeError):
        return
    answer = api.admin.request(method, url, content=body if method in {"POST", "PUT"} else None)
    assert answer.status_code in {200, 201, 202, 404, 405, 413, 422, 307}
    assert answer.status_code < 400 or answer.headers["content-type"] == "application/problem+json"
