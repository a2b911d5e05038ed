"""Weights that MotionCLIP's authors released, into a Laban system."""
