"""What the device remembers, in SQLite."""
