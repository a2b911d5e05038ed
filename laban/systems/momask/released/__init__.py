"""Weights that MoMask's authors released, into a Laban system and back."""
