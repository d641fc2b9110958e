"""``python -m moodify`` is the command ``moodify``."""

from moodify.cli import main

main()
