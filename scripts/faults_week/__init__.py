"""An accelerated week in the life of an appliance: everything that can break breaks, and what it does then is seen from outside. Run by ``scripts/faults``."""
