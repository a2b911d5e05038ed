"""Corpora as their owners publish them, one module each.

`source` says what such a module gives to `laban data prepare`, `registry` which there are.
"""
