"""Training: one loop for every system and stage."""
