"""The speaker, real or simulated, over Spotify's Web API."""
