"""What a system is conditioned on, as features: text, music, and what CLIP makes of text and pictures.

Tokens of motion are elsewhere: `laban.nn.tokenizer`, and the systems that draw them.
"""
