"""The page is announced where its owner says so; here on loopback, where nobody else hears it."""

import pytest
from zeroconf import IPVersion, ServiceBrowser, Zeroconf

from appliance import Appliance, data_folder
from waiting import wait_until

pytestmark = pytest.mark.slow

SERVICE = "_moodify._tcp.local."


def test_the_page_is_announced_with_its_port_and_the_devices_id_while_it_runs(tmp_path):
    found, gone = {}, []

    def changed(zeroconf, service_type, name, state_change):
        if state_change.name == "Removed":
            gone.append(name)
        elif (info := zeroconf.get_service_info(service_type, name, 20_000)) is not None:
            found[name] = info

    with Appliance(tmp_path, "--camera", "sample", "--speaker", "simulated", toml="[web]\nport = 0\nannounce = true\n") as appliance:
        page, own = appliance.page, (data_folder(tmp_path) / "device.id").read_text().strip()
        with Zeroconf(interfaces=["127.0.0.1"], ip_version=IPVersion.V4Only) as ears:
            ServiceBrowser(ears, SERVICE, handlers=[changed])
            info = wait_until(lambda: next((info for info in found.values() if info.properties.get(b"id") == own.encode()), None), within_s=60, what="the announcement")
            assert info.parsed_addresses() == ["127.0.0.1"]
            assert page.endswith(f":{info.port}")
            assert appliance.end() == 0
            wait_until(lambda: any(own in name for name in gone), what="its end")
