"""How many files a hub may have open, also where it may not ask for more."""

import resource
import subprocess
import sys

import pytest

from moodify.hub.open_files import allow_open_files

#: Forbids prlimit64 as systemd's SystemCallFilter does: seccomp(2), a filter that answers EPERM to one number.
FORBIDDEN = """
import ctypes, platform, resource, struct, sys
from moodify.hub.open_files import allow_open_files
resource.setrlimit(resource.RLIMIT_NOFILE, (700, 700))
number = {"x86_64": 302, "aarch64": 261}[platform.machine()]
steps = [(0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7FFF0000)]
program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
class Filter(ctypes.Structure):
    _fields_ = [("size", ctypes.c_ushort), ("steps", ctypes.c_void_p)]
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.byref(Filter(len(steps), ctypes.addressof(program)))) == 0
print(allow_open_files(20_000))
"""


def test_where_the_service_may_not_touch_its_limits_it_knows_what_it_has():
    done = subprocess.run([sys.executable, "-c", FORBIDDEN], capture_output=True, text=True, check=False)
    assert done.stdout == "700\n", done.stderr


@pytest.mark.parametrize("failing", [["prlimit"], ["prlimit", "getrlimit"]])
def test_a_limit_that_cannot_be_raised_is_the_one_that_holds(monkeypatch, failing):
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)

    def forbidden(*_):
        raise PermissionError(1, "Operation not permitted")

    for name in failing:
        monkeypatch.setattr(resource, name, forbidden)
    assert allow_open_files(soft + 1) == soft
