"""Who may sign in, and who is signed in: people, the rules for their passwords, their sessions, and the port to where all of it is kept.

Page and hub each have one :class:`moodify.accounts.accounts.Accounts`; :mod:`moodify.store` (on the device) and :mod:`moodify.hub` keep
what :class:`moodify.accounts.port.Kept` describes.
"""
