"""Where frames come from: the port and one adapter for each kind of source."""
