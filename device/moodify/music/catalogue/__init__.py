"""The songs that are known on the device: where they come from, their features, and which fit a mood."""
