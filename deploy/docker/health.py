"""Ask a process of this machine for its health: ``health.py PORT PATH``; exit code 0 means 200.

Runs every few seconds in every container, so it uses a bare socket and imports little else: it
takes a tenth of the time that an HTTP client needs to be imported.
"""

# ruff: noqa: INP001, T201 -- a script beside data: no package; what it prints, the engine keeps

import socket
import sys

TIMEOUT_S = 3
SHOWN_BYTES = 2_000


def main(port: int, path: str) -> int:
    """Print what was answered, as the engine shows it; return the exit code."""
    try:
        answer = ask(port, path)
    except OSError as problem:
        print(f"nobody answers on port {port}: {problem.strerror or problem}")
        return 1
    status, _, text = answer.partition("\r\n")
    print(text.partition("\r\n\r\n")[2].strip() or status)
    return 0 if status.split(" ")[1:2] == ["200"] else 1


def ask(port: int, path: str) -> str:
    """Return the answer whole, or its beginning; raises OSError."""
    with socket.create_connection(("127.0.0.1", port), TIMEOUT_S) as line:
        line.sendall(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode("ascii"))
        answer = b""
        while len(answer) < SHOWN_BYTES and (more := line.recv(SHOWN_BYTES)):
            answer += more
    return answer.decode("latin-1")


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2]))
