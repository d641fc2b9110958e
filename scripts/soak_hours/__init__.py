"""``scripts/soak``: the whole appliance for hours, with people coming and going, and whether anything of it grows."""
