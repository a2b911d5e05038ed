"""`laban serve` and `laban mcp`: what Laban does, as a service."""

from __future__ import annotations

import importlib.util

from laban.commands.arguments import takes_options
from laban.errors import InputError
from laban.service.settings import AgentOptions, ServeOptions

NEEDED = ("fastapi", "uvicorn", "prometheus_client", "mcp")


@takes_options()
def serve(options: ServeOptions) -> int:
    """Serve jobs over HTTP: REST under /v1, and MMCP for plug-ins of animation programs.

    The address is printed once it can be reached; the log goes to stderr as lines of JSON. SIGTERM or Ctrl-C lets
    running jobs end and keeps the waiting ones for the next start; a second one ends the service at once.
    """
    options.checked()
    check_installed()
    from laban.service import server

    server.serve(options, lambda address: print(f"listening on {address}", flush=True))
    return 0


@takes_options()
def mcp(options: AgentOptions) -> int:
    """Serve an agent (MCP) over stdin and stdout: it makes, edits, measures and looks at motions.

    Programs start it themselves: give them the command `laban mcp --root FOLDER`.
    """
    settings = options.service()
    check_installed()
    from laban.service import agents

    agents.over_stdio(settings)
    return 0


def check_installed() -> None:
    """Raises InputError if the extra `serve` is not installed."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise InputError(f"the service needs {', '.join(missing)}. Install them: pip install 'laban[serve]'")
