"""What commands exit with beside 0 and the errors' own codes (:mod:`moodify.errors`)."""

from __future__ import annotations

from typing import Final

#: Of ``status``, where somebody has to act before all that is configured works.
ACT: Final = 3
#: After Ctrl-C, as a shell has it: 128 and the signal's number.
INTERRUPTED: Final = 130
