"""How good the models are, and whether they are whole: measured with the very code that the appliance runs."""
