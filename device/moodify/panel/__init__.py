"""The button and the light."""
