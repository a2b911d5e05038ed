"""KMM: long motion from a script, over the tokens of the shared motion tokenizer."""
