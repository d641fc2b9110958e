"""Who may sign in: people, the rules for their passwords, and the port to where they are kept. Pure.

Nothing in here opens a file or listens: page and hub ask when somebody signs in, and :mod:`moodify.store` (on the device)
and :mod:`moodify.hub` keep what :class:`moodify.accounts.port.Users` describes.
"""
