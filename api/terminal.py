"""How commands speak: progress bars, tables or JSON, and one sentence for an error."""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

NAME_WIDTH = 32
FILE_WIDTH = 1000
"""Columns that a file or a pipe is taken to have: what reads it wants whole lines."""


class _Count(ProgressColumn):
    """How many of how many; nothing for a step that is done or not."""

    def render(self, task: Task) -> Text:
        total = int(task.total or 0)
        return Text(f"{int(task.completed):,}/{total:,}" if total > 1 else "")


class Steps:
    """Progress of named steps: bars on a terminal, a line a finished step elsewhere.

    `advance(step, done, total)` is what long functions call; `seconds` holds how long each took.
    """

    def __init__(self, quiet: bool = False) -> None:
        self._live = err.is_terminal and not quiet
        self._quiet = quiet
        self._bars = Progress(
            TextColumn(f"  {{task.description:<{NAME_WIDTH}}}"),
            BarColumn(20),
            _Count(),
            TimeElapsedColumn(),
            console=err,
            disable=not self._live,
        )
        self._tasks: dict[str, Any] = {}
        self._begun: dict[str, float] = {}
        self.seconds: dict[str, float] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def advance(self, step: str, done: int, total: int) -> None:
        """Note that `done` of `total` of a step are done."""
        # Without a count a bar could only stand still: it pulses.
        known = total if total > 1 or done else None
        if step not in self._tasks:
            self._tasks[step] = self._bars.add_task(step, total=known)
            self._begun[step] = time.perf_counter()
        self._bars.update(self._tasks[step], completed=done, total=known)
        if done >= total and step not in self.seconds:
            self.seconds[step] = time.perf_counter() - self._begun[step]
            if not self._live and not self._quiet:
                count = f"{total:,}" if total > 1 else ""
                err.print(f"  {step:<{NAME_WIDTH}} {count:>7}  {self.seconds[step]:5.1f} s")


def show(rows: Sequence[Mapping[str, Any]], as_json: bool, empty: str = "nothing") -> None:
    """Rows as a table for people, or as JSON."""
    if as_json:
        print(json.dumps(list(rows), default=str))
        return
    if not rows:
        out.print(empty)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in rows[0]:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(value)) for value in row.values()))
    whole = out if out.is_terminal else Console(width=FILE_WIDTH, highlight=False)
    whole.print(table)


def tell(sentence: str, as_json: bool, **facts: Any) -> None:
    """One sentence for people, or the facts behind it as JSON."""
    if as_json:
        print(json.dumps(facts, default=str))
    else:
        say(sentence)


def say(line: str, style: str | None = None) -> None:
    """A line as it stands: never wrapped, and brackets in it are no markup."""
    out.print(line, style=style, markup=False, soft_wrap=True)


def brief(moment: str | None) -> str | None:
    """An ISO 8601 time to the second, as tables show it."""
    return moment and moment[:19].replace("T", " ") + " UTC"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    return json.dumps(value, default=str) if isinstance(value, dict | list) else str(value)
