"""Characters: rigs of any make, which bone is which, a motion onto them, and how well that went."""
