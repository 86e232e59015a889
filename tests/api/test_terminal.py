"""How commands speak, to people, to pipes and to machines."""

import io
import json

import pytest
from rich.console import Console

from api import terminal
from api.terminal import Steps, brief, say, show, tell


@pytest.fixture
def screen(monkeypatch) -> io.StringIO:
    """A terminal 80 columns wide in place of standard error."""
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=80, highlight=False)
    monkeypatch.setattr(terminal, "err", console)
    return written


def test_a_pipe_gets_whole_lines_and_every_column(capsys):
    long = "x" * 300

    show([{"id": "a", "some_words": long, "share": 0.123456, "at": None}], False)
    say(f"[bold] {long}")

    table, line = capsys.readouterr().out.rstrip("\n").rsplit("\n", 1)
    head, row = table.splitlines()
    assert head.split() == ["id", "some", "words", "share", "at"]
    assert row.split() == ["a", long, "0.1235"]
    assert line == f"[bold] {long}"


def test_brackets_in_values_are_no_markup(capsys):
    show([{"text": "[red]stop[/red]", "list": ["[a]"]}], False)

    assert capsys.readouterr().out.splitlines()[1].split() == ["[red]stop[/red]", '["[a]"]']


def test_machines_get_json(capsys):
    show([{"a": 1.5, "b": None}], True)
    tell("a sentence", True, fact=[1, 2])
    show([], True)

    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line) for line in lines] == [[{"a": 1.5, "b": None}], {"fact": [1, 2]}, []]


def test_nothing_is_said_in_words(capsys):
    show([], False, "no rows")

    assert capsys.readouterr().out == "no rows\n"


def test_without_a_terminal_each_finished_step_is_a_line(capsys):
    with Steps() as steps:
        for done in range(3):
            steps.advance("events", 1000 * done, 2000)
        steps.advance("flip", 0, 1)
        steps.advance("flip", 1, 1)
        steps.advance("unfinished", 1, 5)

    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[:2] for line in lines] == [["events", "2,000"], ["flip", "0.0"]]
    assert list(steps.seconds) == ["events", "flip"]


def test_quiet_steps_are_measured_and_not_told(capsys):
    with Steps(quiet=True) as steps:
        steps.advance("events", 1, 1)

    assert capsys.readouterr() == ("", "")
    assert steps.seconds["events"] >= 0


def test_a_terminal_shows_bars_with_counts(screen):
    with Steps() as steps:
        steps.advance("events", 500, 2000)
        steps.advance("neo4j", 0, 1)

    shown = screen.getvalue()
    assert "500/2,000" in shown
    assert "neo4j" in shown
    assert "0/1" not in shown


def test_a_time_is_told_to_the_second():
    assert brief("2026-11-21T10:17:06.178Z") == "2026-11-21 10:17:06 UTC"
    assert brief(None) is None
