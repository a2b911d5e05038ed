"""The systems, one folder each; they share `laban.nn` and never import one another."""
