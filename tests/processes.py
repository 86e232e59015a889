"""Which processes belong to a home: what must be none once it has been left."""

from pathlib import Path

import psutil

from graphdb.local.processes import wait_until


def processes_of(home: Path) -> list[str]:
    """Every living process that belongs to a home: by its command line or its environment."""
    found = []
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
            told = process.environ().get("PATHLIGHT_HOME")
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        if told == str(home) or str(home) in " ".join(words):
            found.append(f"{process.pid} {' '.join(words)[:200]}")
    return found


def assert_nothing_left(home: Path) -> None:
    """A log's writer ends a moment after the process whose words it kept."""
    wait_until(lambda: processes_of(home) == [], 5)
    assert processes_of(home) == []
