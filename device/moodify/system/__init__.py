"""What the operating system offers and wants: notification, watchdog, journal, clock, health."""
