"""`python -m ingest`: give every item whose text changed its vector; a process of its own.

The graph's address and the text model stand in the environment (PATHLIGHT_NEO4J_…,
PATHLIGHT_TEXT_…). Progress is one JSON object a line on stdout; what fails is one sentence on
stderr and exit status 1. It ends with the process that started it.
"""

import argparse
import json
import os
import sys
import threading
import time


def main(arguments: list[str] | None = None) -> int:
    """Encode, print; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m ingest", description="Encode items' texts.")
    parser.add_argument(
        "--parent", type=int, default=os.getppid(), help="end when this process does"
    )
    options = parser.parse_args(arguments)
    threading.Thread(target=_end_with, args=(options.parent,), daemon=True).start()

    # Read when OpenMP is loaded: threads that spin take the cores from Neo4j and the API.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")

    from graphdb.connection import Graph, Neo4jSettings
    from graphdb.errors import PathlightError
    from ingest.text import TextEncoder, TextSettings, encode_items

    try:
        with Graph.from_settings(Neo4jSettings()) as graph:
            encode_items(graph, TextEncoder(TextSettings()), _print)
    except PathlightError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _print(step: str, done: int, total: int) -> None:
    sys.stdout.write(json.dumps({"step": step, "done": done, "total": total}) + "\n")
    sys.stdout.flush()


def _end_with(parent: int) -> None:
    # A killed worker cannot tell its child; an orphan is given another parent.
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
