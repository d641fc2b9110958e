"""The face record, on request. Pure."""
