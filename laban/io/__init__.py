"""Files: one module per format reads and writes it; `laban.formats` says which suffix is whose."""
