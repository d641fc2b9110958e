"""Which music fits a mood. Pure policy; the speaker is behind a port."""
