"""Who this device is, and its link to the broker."""
