"""Pure functions on arrays that measure motions (layer L2): physics, control."""
