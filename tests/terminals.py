"""A person at a terminal, who is asked something and types a line."""

import os
import pty
import subprocess
import sys

from appliance import environment_of


def typed(home, line, *arguments):
    """Run a command at a terminal and type a line; return what it said and its exit code."""
    here, there = pty.openpty()
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "moodify", *map(str, arguments)], cwd=home, env=environment_of(home), stdin=there, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        os.write(here, f"{line}\n".encode())
        said, _ = process.communicate(timeout=60)
        return said, process.returncode
    finally:
        os.close(here)
        os.close(there)
