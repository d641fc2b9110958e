"""The recipe that trains, quantises, measures and describes the models that ship in ``models/``."""
