"""Corpora: published motion data made into memory-mapped features with captions and splits."""
