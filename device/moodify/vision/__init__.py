"""What is seen in a frame: faces, and the emotions on them, by TFLite models."""
