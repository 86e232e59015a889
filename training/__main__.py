"""`python -m training COMMAND …`: the process that a training task or the command line starts.

Progress is one JSON object a line on stdout, the last of them the command's result; what is refused
is one sentence on stderr and exit status 2. It ends with the process that started it. A command is
a file of training.commands.
"""

import argparse
import importlib
import json
import logging
import os
import pkgutil
import sys
import threading
import time
from dataclasses import asdict

import training.commands
from training.threads import wait_briefly


def main(arguments: list[str] | None = None) -> int:
    """Parse, run, print; returns the exit status."""
    names = sorted(module.name for module in pkgutil.iter_modules(training.commands.__path__))
    parser = argparse.ArgumentParser(prog="python -m training", allow_abbrev=False)
    parser.add_argument("command", choices=names)
    parser.add_argument(
        "--parent", type=int, default=os.getppid(), help="end when this process does"
    )
    parser.add_argument(
        "--processes", type=int, default=1, help="that train one model together, a GPU for each"
    )
    options, rest = parser.parse_known_args(arguments)
    threading.Thread(target=_end_with, args=(options.parent,), daemon=True).start()

    wait_briefly()

    if options.processes > 1:
        return _together(options.processes, [options.command, *rest])

    # torch takes seconds to load: whoever waits is told so.
    loading = {"step": "load torch", "total": 1, "figures": {}}
    _print(loading | {"done": 0})
    from graphdb.snapshot import SnapshotError
    from training.errors import TrainingError
    from training.running.ranks import joined

    command = importlib.import_module(f"training.commands.{options.command}")
    _print(loading | {"done": 1})
    own = argparse.ArgumentParser(prog=f"python -m training {options.command}")
    command.add_arguments(own)
    try:
        with joined() as ranks:
            report = (lambda step: _print(asdict(step))) if ranks.first else (lambda step: None)
            result = command.run(own.parse_args(rest), report)
    except (SnapshotError, TrainingError) as error:
        return _refuse(str(error))
    except FileExistsError as error:
        return _refuse(f"{error} is there already: name a new directory")
    except MemoryError as error:
        return _refuse(f"out of memory ({error}): train with fewer items or dimensions")
    if ranks.first:
        _print(result)
    return 0


def _together(count: int, arguments: list[str]) -> int:
    """Start `count` of the same command (training.running.ranks), each of which ends with this
    process; the exit status of the first that failed."""
    from torch.distributed import run as torchrun
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    # What a process says as it ends is the last line: not the launcher's account of it.
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)
    launch = ["--standalone", "--nproc-per-node", str(count), "-m", "training", *arguments]
    try:
        torchrun.run(torchrun.parse_args(launch))
    except ChildFailedError as error:
        return max(1, error.get_first_failure()[1].exitcode)
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
