"""The threads that make the rooms one house."""
