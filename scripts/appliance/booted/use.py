"""What a household does with the appliance: install it, press the button, bring it up to date, pull the plug, take it away."""

# ruff: noqa: D103 - what is tried has a name that says it
# ruff: noqa: S101, PLR2004, FBT003 - it is a test

from __future__ import annotations

import hashlib
import json
import os
import pty
import pwd
import re
import signal
import ssl
import subprocess
import time
from pathlib import Path

from aid import (
    CONFIGURATION,
    PROGRAM,
    SOURCES,
    STATE,
    UNIT,
    check,
    drivers,
    environment_of,
    events,
    install,
    journal,
    kept,
    messages,
    moodify,
    page_answers,
    part,
    press,
    sh,
    shown,
    status_of,
    until,
)


def installs() -> None:
    said = install()
    for number in range(1, 8):
        assert f"\n{number}. " in f"\n{said}", said
    check(shown("ActiveState") == "active", f"installed and READY: {shown('StatusText')}")
    user = pwd.getpwnam("moodify")
    check((STATE.stat().st_uid, STATE.stat().st_mode & 0o777) == (user.pw_uid, 0o700), f"{STATE} is the user's own")
    if "The packages are those" not in said:
        # For the next time: packages alone, as pip put them there.
        Path("/out/packages").write_text(str(PROGRAM.resolve()))
    (host,) = re.findall(r"https://\S+:8080", said)
    check(
        os.uname().nodename in host and '\nhost = "0.0.0.0"\n' in CONFIGURATION.read_text(),
        f"a new configuration opens the page to the home network, and the step says where: {host}",
    )
    check(CONFIGURATION.stat().st_mode & 0o777 == 0o640 and CONFIGURATION.stat().st_uid == 0, f"{CONFIGURATION} is root's, and the service may read it")
    check(sh("systemctl", "is-enabled", "moodify.service").strip() == "enabled", "it starts with the machine")
    enabled = subprocess.run(["systemctl", "is-enabled", "mosquitto.service"], capture_output=True, text=True, check=False).stdout.strip()
    check(enabled == "disabled" and shown("ActiveState", "mosquitto") == "inactive", "Debian's mosquitto.service is disabled")
    CONFIGURATION.write_text(CONFIGURATION.read_text() + "\n# mine\n")


def works_in_the_sandbox() -> None:
    pid = shown("MainPID")
    wanted = {line.split(":")[2] for line in Path("/etc/group").read_text().splitlines() if line.split(":")[0] in {"video", "gpio"}}
    check(len(wanted) == 2 and wanted <= set(status_of(pid)["Groups"].split()), "the daemon is in the groups video and gpio")
    folder = Path(environment_of(pid)["LG_WD"])
    check(folder == Path(f"/proc/{pid}/cwd").readlink() and folder.owner() == "moodify", f"lgpio's folder is the working folder, and the user's: {folder}")
    part("camera", "ok")
    part("link", "ok")
    check(page_answers(), f"{part('camera', 'ok')}; the link is on, and the page answers")
    inside = sh("ps", "-o", "pid=,user=,comm=", "-C", "mosquitto")
    check("moodify" in inside, f"the broker of the hub beside it runs in the same sandbox: {' '.join(inside.split())}")
    hub_log = (STATE / "hub/hub.log").read_text()
    check("could not be raised" not in hub_log, "the hub beside it may ask how many connections it may hold")
    # The same sandbox around `moodify check`.
    unit = UNIT.read_text()
    unit = re.sub(r"(?m)^(ExecStart=\S+) run$", r"\1 check", unit).replace("Type=notify", "Type=oneshot").replace("WatchdogSec=30\n", "")
    unit = re.sub(r"(?m)^(Restart|SuccessExit|TimeoutStartF|RuntimeDirectory=).*\n", "", unit).replace(
        "[Service]\n", "[Service]\nRuntimeDirectory=moodify-check\nSuccessExitStatus=1\n"
    )
    Path("/run/systemd/system/moodify-checked.service").write_text(unit.replace("%t/moodify", "%t/moodify-check"))
    sh("systemctl", "daemon-reload")
    sh("systemctl", "start", "moodify-checked.service")
    models = [line for line in messages(unit="moodify-checked") if line.startswith("models")]
    check(models and "run on XNNPACK" in models[0], f"in the sandbox: {' '.join(models[0].split())}")


def serves_its_page_to_the_home() -> None:
    # Another address than the one that a page for this machine alone listens on.
    shown_there = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.2", 8080), timeout=10))
    fingerprint = hashlib.sha256(shown_there).digest().hex(":").upper()
    told = [each for each in messages() if fingerprint in each]
    check(told and page_answers(), f"the page answers over HTTPS on every address, with the certificate that the journal tells of: {told[-1]}")
    claims = [each for each in messages() if "/#/claim/" in each]
    check(claims and "https://" in claims[-1], f"the journal tells whoever administers it how to make it theirs: {claims[-1].rpartition('/')[0]}/…")
    press(16.0)
    until(lambda: any("become the first owner there, without a code" in each for each in messages()), "the answer to a hold of 16 s")
    check(True, "a hold of the button over 15 s opens the page's claim for five minutes")


def looks_through_the_drivers_process() -> None:
    """The process that holds a Pi's camera: in the unit's sandbox, and replaced where it ends."""
    pid = shown("MainPID")
    (driver,) = drivers()
    status, cgroup = status_of(driver), Path(f"/proc/{driver}/cgroup").read_text()
    check(status["PPid"] == pid and cgroup == Path(f"/proc/{pid}/cgroup").read_text() and "/moodify.service" in cgroup, "a process of its own holds the camera, in the unit")
    tight = {"NoNewPrivs": "1", "Seccomp": "2", "CapEff": "0" * 16, "CapBnd": "0" * 16, "Seccomp_filters": status_of(pid)["Seccomp_filters"]}
    check(tight.items() <= status.items(), f"its system calls are filtered as the daemon's are: {status['Seccomp_filters']} filters, no capability")

    def memory(process: int | str) -> set[int]:
        return {each.stat().st_ino for each in Path(f"/proc/{process}/map_files").iterdir() if "memfd:moodify-frame" in str(each.readlink())}

    shared = until(lambda: memory(driver) & memory(pid), "pixels in the memory that both share")
    check(len(shared) == 1, "pixels cross in anonymous memory that both have and nobody else")
    os.kill(driver, signal.SIGKILL)
    until(lambda: drivers() not in ([], [driver]), "another driver")
    part("camera", "ok")
    check(shown("MainPID") == pid and len(drivers()) == 1, "where the driver's process ends another takes its place, and the daemon goes on")


def says_it_in_the_journal() -> None:
    entries = [entry for entry in journal() if entry.get("LOGGER", "").startswith("moodify")]
    wanted = {"MESSAGE", "PRIORITY", "LOGGER", "THREAD_NAME", "CODE_FILE", "SYSLOG_IDENTIFIER"}
    check(entries and all(wanted <= set(entry) for entry in entries), f"journal fields: {', '.join(sorted(wanted))}")
    camera = [entry for entry in entries if entry.get("MOODIFY_PART") == "camera"]
    check(camera and camera[-1]["MOODIFY_STATE"] == "ok", "a part's state is a field: MOODIFY_PART=camera MOODIFY_STATE=ok")


def hears_the_button() -> None:
    part("camera", "ok")
    press()
    until(lambda: any("Pressed scan (button)" in each for each in messages()), "the press in the journal")
    asked = until(lambda: [mood for mood in events("mood") if mood.get("asked")], "a mood that answers the press")
    check(asked[0]["mood"] == "happy", "a press on the mock button was answered: happy, through the driver's process")


def upgrades() -> None:
    device, kept_events, pid = (STATE / "device.key").read_bytes(), events(), shown("MainPID")
    install(sources=Path("/srv/next"))
    part("camera", "ok")
    check(shown("MainPID") != pid and "9.9.9" in moodify("--version"), f"upgraded in place: {moodify('--version').strip()}")
    check("\n# mine\n" in CONFIGURATION.read_text() and (STATE / "device.key").read_bytes() == device, "its configuration and its key are kept")
    check(kept_events and events()[: len(kept_events)] == kept_events, f"and its history: {len(kept_events)} events")


def serves_a_hub() -> None:
    said = install("--hub", sources=Path("/srv/next"))
    part("camera", "ok")
    check("9.9.9" in moodify("--version") and "The packages are those" in said, "installed twice, nothing is different")
    check("Fingerprint:" in said and "Admin token:" in said and shown("ActiveState", "moodify-hub") == "active", f"the hub is READY: {shown('StatusText', 'moodify-hub')}")
    # What the machine below the root allows is the most that there is.
    allowed = min(20_256, int(re.search(r"Max open files\s+\d+\s+(\d+)", Path("/proc/1/limits").read_text())[1]))
    warned = [each for each in messages(unit="moodify-hub") if "could not be raised" in each or ("lets the hub hold" in each and allowed == 20_256)]
    pid = sh("pgrep", "-u", "moodify-hub", "mosquitto").split()[0]
    limit = int(re.search(r"Max open files\s+(\d+)", Path(f"/proc/{pid}/limits").read_text())[1])
    check(limit >= allowed and not warned, f"its broker is its child, in its sandbox, and may hold {limit} files of {allowed}")
    shown_by = sh("runuser", "-u", "moodify-hub", "--", "/opt/moodify/bin/moodify", "hub", "status", "--folder", "/var/lib/moodify-hub")
    check(True, f"moodify hub status: {' '.join(shown_by.split())[:100]}")
    began_s = time.monotonic()
    sh("systemctl", "stop", "moodify-hub.service")
    took_s = time.monotonic() - began_s
    check(shown("Result", "moodify-hub") == "success", f"the hub stopped cleanly in {took_s:.1f} s")


def is_about_to_lose_power() -> None:
    moodify("privacy", "on")
    until(lambda: "off for privacy" in shown("StatusText"), "privacy")
    # The unit has a /proc of its own (ProtectProc=), which names the start of the kernel below this container: the same one after the cut.
    # On a machine it is another.
    said = kept()
    assert said["on"], said
    (STATE / "crashes.json").write_text(json.dumps(said | {"boot": "the start before the cut"}))


def begins_in_privacy() -> None:
    until(lambda: shown("ActiveState") == "active", "READY after the boot")
    check("off for privacy" in shown("StatusText") and drivers() == [], f"after a power cut, with privacy on, and no process holds a camera: {shown('StatusText')}")
    check(kept()["crashes_s"] == [], "a power cut is no crash")
    check(journal("--boot", "--priority=err") == [], "no error is logged")


def begins_without_a_camera() -> None:
    moodify("privacy", "off")
    part("camera", "ok")
    CONFIGURATION.write_text(re.sub(r'(?m)^source = "auto"', 'source = "usb"', CONFIGURATION.read_text()))
    sh("systemctl", "restart", "moodify.service")
    check(shown("ActiveState") == "active" and "camera" in shown("StatusText"), f"READY without a camera: {shown('StatusText')}")


def ask(answer: str, *arguments: str) -> str:
    """Run scripts/install at a terminal of its own, as a person does who types the answer to its question; return what stood there."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(SOURCES / "scripts/install", ["scripts/install", *arguments])  # noqa: S606 - there is nothing for a shell to do
    said = ""
    try:
        while part := os.read(terminal, 4096).decode():
            said += part
            if answer and said.rstrip().endswith("[y/N]"):
                os.write(terminal, answer.encode())
                answer = ""
    except OSError:
        # So a terminal ends whose program has ended.
        pass
    finally:
        os.close(terminal)
    _, status = os.waitpid(pid, 0)
    check(status == 0 and said.count("[y/N]") == 1, f"at a terminal scripts/install {' '.join(arguments)} asks once")
    return said


def uninstalls() -> None:
    said = install("--uninstall", fails=True)
    check("--keep, or --purge" in said and shown("ActiveState") == "active", "where nobody can be asked, uninstalling asks for an answer, and changes nothing")
    said = ask("\n", "--uninstall")
    left = [str(path) for path in (PROGRAM, Path("/opt/moodify.a"), Path("/opt/moodify.b"), UNIT) if path.exists()]
    check(left == [] and shown("LoadState") == "not-found" and "userdel" not in said, "the program and its units are gone")
    check((STATE / "moodify.db").exists() and CONFIGURATION.exists(), "whoever presses Enter keeps data and configuration")
    install("--uninstall", "--keep")
    check((STATE / "moodify.db").exists() and CONFIGURATION.exists(), "done twice nothing is different, and data and configuration are there")
    ask("y\n", "--uninstall")
    left = [str(path) for path in (STATE, CONFIGURATION.parent, Path("/var/lib/moodify-hub")) if path.exists()]
    check(left == [] and "moodify" not in Path("/etc/passwd").read_text(), "and gone, with their users, where that is asked for")
    install("--uninstall", "--purge")
