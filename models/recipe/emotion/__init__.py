"""The emotion classifier: 48x48 grey faces to eight FER+ emotions."""

LABELS = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt")
"""In the order of the logits, which is FER+'s own."""

SIDE = 48
"""Side of the input in pixels."""
