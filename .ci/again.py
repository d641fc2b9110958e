"""Tells an unsteady test from a broken one: runs what failed in the last run again, by itself.

Of more than 7,000 tests many wait for real processes, servers and threads on two busy cores. One that fails there and then passes :data:`TIMES` times in a row on a quiet
machine is a defect of the test, or a rare one of the product; its report stands in the run above, and it is named here, to be mended. It does not hold up a change that
has nothing to do with it. Where more than :data:`MOST` fail, or one fails again, the change is broken.
"""

import json
import subprocess
import sys
from pathlib import Path

MOST = 3
TIMES = 3
#: Where pytest's cache plug-in keeps which tests failed last.
LAST_FAILED = Path(".pytest_cache/v/cache/lastfailed")


def main() -> int:
    """Return 0 where all that failed is unsteady, 1 where something is broken."""
    failed = sorted(json.loads(LAST_FAILED.read_text("utf-8"))) if LAST_FAILED.exists() else []
    if not 0 < len(failed) <= MOST:
        return _say(f"{len(failed)} tests failed: nothing is run again (that is for 1 to {MOST}, which may be unsteady)", 1)
    for number in range(1, TIMES + 1):
        _say(f"run {number} of {TIMES} again, by themselves: {', '.join(failed)}", 0)
        # Without the cache: it would be left to say that nothing failed.
        if subprocess.run([sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *failed], check=False).returncode:
            return _say("broken, not unsteady: it failed again", 1)
    return _say(f"UNSTEADY, to be mended: failed above and then passed {TIMES} times: {', '.join(failed)}", 0)


def _say(text: str, code: int) -> int:
    sys.stderr.write(f"\n*** {text} ***\n\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
