"""Simulated households that show what learning is worth."""
