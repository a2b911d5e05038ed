"""What Laban does, as plain functions: one frozen options dataclass and a Context in, a result out.

Nothing here prints, parses a command line or exits; commands, the service and Python callers share these functions.
Options say their bounds in their fields' metadata (`laban.actions.options`): for checks, help and JSON schema.
"""
