"""What a sentence means before any model sees it: a plan of steps, spelling, and which of its actions the data knows.

Everything here is rules and tables, without torch.
"""
