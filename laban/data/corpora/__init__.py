"""Corpora as their owners publish them, one module each."""
