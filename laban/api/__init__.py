"""What Laban does, as functions of Python: `laban.generate`, `laban.edit`, `laban.dance` and the others.

Each is a thin form of an action (`laban.actions`): what most callers give are its arguments, and whatever else the
action's options dataclass has may be given by name. Models are loaded once in a process and shared by all calls. What a
person should read comes as a Python warning; give a `Context` of your own for progress, to stop, or for a device.

Importing these modules imports no torch.
"""
