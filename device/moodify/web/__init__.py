"""The page on the home network."""
