"""The service: what Laban does as jobs over HTTP, for motion servers' clients (MMCP) and for agents (MCP).

The process that answers imports no torch: it keeps jobs in SQLite, gives them to worker processes that keep models
loaded, and tells of their progress. Nothing here prints; `laban serve` and `laban mcp` are in `laban.commands`.
"""
