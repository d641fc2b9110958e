"""The hub's API: devices, states, history and commands, over HTTP on loopback."""
