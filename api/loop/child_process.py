"""A long step as a process of its own: its memory is returned, and a worker stays small.

The process writes its progress as JSON lines (step, done, total), what it refuses as a sentence on
stderr, and ends when the one named by `--parent` does. What it does is not known here.
"""

import json
import logging
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import IO

from api.local.parts import PACKAGES
from graphdb.errors import PathlightError

log = logging.getLogger(__name__)

POLL_S = 0.2
REFUSED = 2
"""Exit status of a process whose input can never succeed."""

Progress = Callable[[str, int, int], None]


class StepFailedError(PathlightError):
    """The process ended before its work was done; the message is its last sentence."""


class StepRefusedError(StepFailedError):
    """The process refused its input: another attempt would end the same."""


def run_step(
    module: str,
    arguments: Sequence[str],
    progress: Progress,
    *,
    alive: Callable[[], None] = lambda: None,
    env: Mapping[str, str] | None = None,
) -> None:
    """Run `python -m module` to its end, with `env` beside this process's environment.

    `alive` is called several times a second and may raise to have the process stopped. Raises
    StepFailedError, StepRefusedError.
    """
    # Told who started it: asked later, an orphan would name whoever adopted it.
    command = [sys.executable, "-P", "-m", module, *arguments, "--parent", str(os.getpid())]
    with (
        tempfile.TemporaryFile("w+", errors="replace") as said,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=said, text=True, env=_environment(env or {})
        ) as process,
    ):
        try:
            assert process.stdout is not None
            for line in _lines(process.stdout):
                alive()
                if line:
                    _report(module, line, progress)
        except BaseException:
            process.kill()
            raise
        if process.wait() != 0:
            said.seek(0)
            raise _failure(module, said.read(), process.returncode)


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    path = [str(PACKAGES), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, **given, "PYTHONPATH": os.pathsep.join(path)}


def _lines(output: IO[str]) -> Iterator[str]:
    """Lines as they come until the output ends, and an empty one whenever none came for a while."""
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def read() -> None:
        for line in output:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            line = lines.get(timeout=POLL_S)
        except queue.Empty:
            yield ""
            continue
        if line is None:
            return
        yield line


def _report(module: str, line: str, progress: Progress) -> None:
    try:
        told = json.loads(line)
        step, done, total = told["step"], told["done"], told["total"]
    except (ValueError, KeyError, TypeError):
        log.info("%s: %s", module, line.rstrip()[:500])
    else:
        progress(step, done, total)


def _failure(module: str, said: str, code: int) -> StepFailedError:
    lines = [line for line in said.splitlines() if line.strip()]
    if code == REFUSED and lines:
        return StepRefusedError(lines[-1][:500])
    if code == -9:
        return StepFailedError(f"{module} was killed: by hand, or for want of memory")
    ended = f"signal {-code}" if code < 0 else f"exit status {code}"
    return StepFailedError(lines[-1][:500] if lines and code > 0 else f"{module} ended by {ended}")
