"""What a system is conditioned on: text (here), later music and images."""
