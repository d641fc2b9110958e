"""What an appliance and a hub listen on, everything on, is what docs/threat-model.md lists, and nothing else."""

import re
from collections import Counter

import pytest

from appliance import Appliance, data_folder, listening_on, tree_of
from hub_process import HubProcess, configure
from moodify.config.model import Config
from moodify.daemon.hub_beside import FOLDER
from moodify.hub.config import HubConfig
from moodify.hub.folder import HubFolder
from moodify.hub.setup import initialise
from waiting import wait_until


@pytest.fixture(scope="module")
def listed(project_root):
    rows = re.findall(r"^\| (appliance|hub) \| ([^|]+) \| (?:TCP|UDP) \| `([^`]+)` \| (\w+) \|", (project_root / "docs/threat-model.md").read_text("utf-8"), re.MULTILINE)
    return {(of, what): (address, port) for of, what, address, port in rows}


def test_the_table_has_the_defaults(listed):
    web, hub = Config().web, HubConfig()
    assert listed["appliance", "page"] == (web.host, str(web.port))
    assert listed["hub", "gate"] == (hub.host, str(hub.port))
    assert listed["hub", "dashboard and API"] == (hub.api_host, str(hub.api_port))


@pytest.mark.slow
@pytest.mark.parametrize(("host", "announce"), [("127.0.0.1", "true"), ("0.0.0.0", "false")])
def test_an_appliance_with_everything_on_listens_where_the_table_says(tmp_path, listed, host, announce):
    toml = f'[web]\nhost = "{host}"\nport = 0\nannounce = {announce}\n'
    with Appliance(tmp_path, "--camera", "sample", "--speaker", "simulated", toml=toml) as appliance:
        appliance.wait_for("link", state="ok")
        appliance.wait_for("speaker", state="ok")
        where, page = HubFolder(data_folder(tmp_path) / FOLDER).where(), int(appliance.page.rpartition(":")[2].strip("/"))
        expected = {
            "page": {(host, page)},
            "gate of the hub beside it": {("127.0.0.1", where["mqtt"]["port"])},
            "API of the hub beside it": {("127.0.0.1", where["api"]["port"])},
        }
        known, seen = set().union(*expected.values()), set()

        def rest():
            """Return what listens beside these and the announcement, once it is one: to learn its own address it opens another for a moment."""
            seen.clear()
            seen.update(listening_on(tree_of(appliance.process.pid)))
            voices = {each for each in seen if each[1] == 5353}
            others = seen - known - voices
            return others if known <= seen and bool(voices) == (announce == "true") and len(others) == 1 else None

        (speaker,) = wait_until(rest, within_s=30, what=lambda: f"that nothing listens but what the table has; what does: {seen}")
        assert appliance.end() == 0
    assert speaker[0] == "127.0.0.1"
    assert {what for of, what in listed if of == "appliance"} == {*expected, "simulated speaker", "announcement"}
    # By default all of it is for this machine alone.
    assert {listed["appliance", what][0] for what in (*expected, "simulated speaker")} == {"127.0.0.1"}


@pytest.mark.slow
def test_a_hub_with_everything_on_listens_where_the_table_says(tmp_path, listed):
    folder = tmp_path / "hub"
    initialise(HubFolder(folder))
    configure(folder, announce="true")
    with HubProcess(tmp_path, folder) as hub:

        def announced():
            sockets = listening_on(tree_of(hub.process.pid))
            return sockets if any(port == 5353 for _, port in sockets) else None

        found = wait_until(announced, within_s=30, what="the announcement")
        address = hub.address
        assert hub.end() == 0
    assert found - {each for each in found if each[1] == 5353} == {("127.0.0.1", address["mqtt"]["port"]), ("127.0.0.1", address["api"]["port"])}
    assert Counter(of for of, _ in listed)["hub"] == 3
