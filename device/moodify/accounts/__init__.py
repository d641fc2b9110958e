"""Users, passwords, tokens and sessions: rules and a port."""
