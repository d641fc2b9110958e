"""Both services as they run, against their own description: requests that schemathesis makes up from it end in no defect, and each answer is as described."""

import json
import warnings

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from appliance import Appliance
from hub_process import HubProcess, configure
from moodify.hub.folder import HubFolder
from moodify.hub.setup import initialise
from signed_in import EMAIL, PASSWORD
from waiting import wait_until

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed (extra: browser)")
    import schemathesis.specs.openapi.checks as conformance
    from schemathesis.core.failures import FailureGroup

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

#: Of one route: the bound of the whole test.
_EXAMPLES = 3
_CHECKS = [
    conformance.status_code_conformance,
    conformance.content_type_conformance,
    conformance.response_schema_conformance,
]
#: What ends the session that asks, never ends by itself, or listens for some seconds to who else is there.
_LEFT_OUT = {("DELETE", "/api/session"), ("DELETE", "/api/sessions"), ("GET", "/api/stream"), ("POST", "/api/hub/look")}


def _walk(url, cookies, authorization=None):
    """Ask each route of a service what its schema allows; return how many requests that were, and what was wrong."""
    schema = schemathesis.openapi.from_dict(httpx.get(f"{url}/openapi.json", trust_env=False).json())
    asked, wrong = [], []
    for found in schema.get_all_operations():
        operation = found.ok()
        if (operation.method.upper(), operation.path) in _LEFT_OUT:
            continue
        program = authorization is not None and operation.path.startswith(("/v1", "/metrics"))
        _ask(operation, url, {"Authorization": authorization} if program else {"X-Moodify": "1"}, cookies, asked, wrong)
    return len(asked), wrong


def _ask(operation, url, headers, cookies, asked, wrong):
    @given(case=operation.as_strategy())
    @settings(max_examples=_EXAMPLES, deadline=None, database=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    def ask(case):
        asked.append(case)
        answer = case.call(base_url=url, headers=headers, cookies=cookies, timeout=40)
        if answer.status_code == 500:
            wrong.append((operation.label, 500, case.as_curl_command()))
        try:
            case.validate_response(answer, checks=_CHECKS)
        except FailureGroup as failures:
            wrong.append((operation.label, answer.status_code, [str(failure) for failure in failures.exceptions]))

    ask()


def _cookies(url, log):
    with httpx.Client(base_url=url, trust_env=False, timeout=30, headers={"X-Moodify": "1"}) as client:
        code = wait_until(lambda: log().rpartition("/#/claim/")[2][:9], what="the claim code")
        made = client.post("/api/claim", json={"code": code, "email": EMAIL, "first_name": "Ada", "password": PASSWORD})
        assert made.status_code == 201, made.text
        return dict(client.cookies)


def test_the_page_is_as_its_description_says(tmp_path):
    with Appliance(tmp_path, "--camera", "sample", "--speaker", "simulated", toml="[link]\nenabled = false\n[web]\nport = 0\n") as appliance:
        cookies = _cookies(appliance.page, lambda: appliance.log)
        asked, wrong = _walk(appliance.page, cookies)
        assert wrong == []
        assert asked > 60
        assert httpx.get(f"{appliance.page}/healthz", trust_env=False).text == "ok"
        assert "Traceback" not in appliance.log
        appliance.end()


def test_the_hub_is_as_its_description_says(tmp_path):
    folder = HubFolder(tmp_path / "hub")
    token = initialise(folder).token
    configure(folder.path)
    with HubProcess(tmp_path, folder.path) as hub:
        api = hub.address["api"]
        url = f"http://{api['host']}:{api['port']}"
        cookies = _cookies(url, lambda: hub.log)
        asked, wrong = _walk(url, cookies, f"Bearer {token}")
        assert wrong == []
        assert asked > 60
        assert json.loads(httpx.get(f"{url}/readyz", trust_env=False).text)["ready"] is True
        assert "Traceback" not in hub.log
