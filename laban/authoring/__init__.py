"""Authoring: key poses, paths, targets, loops, parts and speed on one timeline."""
