"""The shipped simulated speaker: an HTTP server that answers as Spotify's Web API does and keeps its state."""
