"""What the device keeps, in one SQLite file: events, their unsent summaries, a few settings, accounts, and looks at skin.

:func:`moodify.store.prepare.prepare` runs once at start; then each thread opens what it needs on a
connection of its own: :class:`~moodify.store.store.Store` writes events,
:class:`~moodify.store.history.History` reads them, :class:`~moodify.store.outbox.Outbox` is the
courier's, :class:`~moodify.store.settings.Settings` remembers single values. The page looks back over
:class:`~moodify.store.looking_back.LookingBack`; accounts and looks at skin have
:class:`~moodify.store.accounts.AccountTransactions` and :class:`~moodify.store.skin.SkinTables`.
"""
