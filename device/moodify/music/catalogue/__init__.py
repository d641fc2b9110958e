"""The songs that are known on the device: where they come from, their features, and which fit a mood.

:mod:`~moodify.music.catalogue.librarian` finds a mood's songs; it asks the speaker's service through
:mod:`~moodify.music.catalogue.lookups`, which remembers in the :mod:`~moodify.music.catalogue.catalogue`, and judges them by
:mod:`~moodify.music.catalogue.matching`. :mod:`~moodify.music.catalogue.importing` takes CSV files.
"""
