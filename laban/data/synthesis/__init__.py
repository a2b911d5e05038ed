"""Data that are made: songs and dances, joined clips, rendered films, drawn digits, walkers from formulas."""
