"""`laban evaluate`: motions scored beside real ones and beside rows that any score has to tell apart."""
