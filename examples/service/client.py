"""Submit, follow, download: Laban's service in Python's standard library. Needs `laban serve` to run."""

import json
import sys
import urllib.request

BASE = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8021"


def ask(path, body=None):
    head = {"Content-Type": "application/json"}  # and "Authorization": "Bearer TOKEN", where the service wants one
    data = None if body is None else json.dumps(body).encode()
    return urllib.request.urlopen(urllib.request.Request(BASE + path, data, head))


wanted = {"kind": "generate", "args": {"text": "a person waves", "seconds": 3}, "formats": ["glb"]}
job = json.load(ask("/v1/jobs", wanted))
for line in ask(job["links"]["events"]):  # server-sent events; the stream ends with the job
    if line.startswith(b"data: "):
        print(line[6:].decode().strip())
for file in json.load(ask(job["links"]["self"]))["files"]:
    with open(file["name"], "wb") as out:
        out.write(ask(file["href"]).read())
