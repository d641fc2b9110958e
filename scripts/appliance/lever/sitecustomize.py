"""A finger on the mock button, in the booted root alone: what is written to the pipe beside this file presses it for so many seconds.

Python imports a module of this name at its start, from PYTHONPATH, which a drop-in of the test sets.
"""

import gc
import sys
import threading
import time
from pathlib import Path
from typing import Any

PIPE = Path(__file__).with_name("press")


def _pins() -> Any:
    # The appliance freezes what it has built, and what is frozen is not listed.
    gc.unfreeze()
    try:
        return next(each for each in gc.get_objects() if type(each).__name__ == "MockFactory")
    finally:
        gc.freeze()


def _press() -> None:
    while True:
        for line in PIPE.read_text().split():
            pin = _pins().pin(17)
            pin.drive_low()
            time.sleep(float(line))
            pin.drive_high()


if sys.orig_argv[-1] == "run":
    threading.Thread(target=_press, name="finger", daemon=True).start()
