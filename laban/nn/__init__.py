"""Networks that systems share. Importing this package imports no torch; its modules do."""
