"""`python -m training SNAPSHOT ARTIFACT`: the process that a training task starts.

Progress is one JSON object a line on stdout, the last of them `{"model": …}`; what is refused is
one sentence on stderr and exit status 2. It ends with the process that started it.
"""

import argparse
import json
import os
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path


def main(arguments: list[str] | None = None) -> int:
    """Parse, train, print; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m training", description="Train an artifact.")
    parser.add_argument("snapshot", type=Path)
    parser.add_argument("artifact", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--parent", type=int, default=os.getppid(), help="end when this process does"
    )
    options = parser.parse_args(arguments)
    threading.Thread(target=_end_with, args=(options.parent,), daemon=True).start()

    # Read when OpenMP is loaded: threads that spin while Neo4j and the API want the cores made an
    # epoch of ML-100K 20 times slower (130 s against 6.7 s on 2 cores).
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")

    # torch takes seconds to load: whoever waits is told so.
    loading = {"step": "load torch", "total": 1, "figures": {}}
    _print(loading | {"done": 0})
    from graphdb.snapshot import SnapshotError
    from training.errors import TrainingError
    from training.train import train

    _print(loading | {"done": 1})
    try:
        model = train(
            options.snapshot,
            options.artifact,
            seed=options.seed,
            progress=lambda step: _print(asdict(step)),
        )
    except (SnapshotError, TrainingError) as error:
        return _refuse(str(error))
    except FileExistsError:
        return _refuse(f"{options.artifact} is there already: name a new directory")
    except MemoryError as error:
        return _refuse(f"out of memory ({error}): train with fewer items or dimensions")
    _print({"model": model.id, "metrics": model.metrics, "seconds": model.seconds})
    return 0


def _print(line: dict) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _refuse(sentence: str) -> int:
    sys.stderr.write(sentence + "\n")
    return 2


def _end_with(parent: int) -> None:
    # A killed worker cannot tell its child; an orphan is given another parent.
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
