"""The command line: quick help, JSON everywhere, one sentence for what is wrong."""

import re
import time

import pytest

from api.cli import app, main
from api.commands import topics
from tests.api.pathlight import Run, refused

COMMANDS = (
    *("demo", "up", "down", "status", "import", "check", "snapshot", "train", "publish"),
    *("report", "compare"),
    "rollback",
    *("versions", "retrain", "jobs", "recommend", "similar", "cypher", "audit", "evaluate"),
)
GROUPS = ("deadletters",)


def test_help_is_quick_and_shows_every_command_with_a_sentence(run_process: Run):
    run_process("--help")  # what is compiled on first use is not counted
    began = time.monotonic()

    done = run_process("--help")

    assert done.returncode == 0
    assert time.monotonic() - began < 5
    shown = re.findall(r"^\W*(\w+) {2,}(\w.+?)\W*$", done.stdout, re.MULTILINE)
    assert {name for name, _ in shown} >= {*COMMANDS, *GROUPS}


def test_every_command_takes_json():
    commands = [c for topic in [app, *topics()] for c in topic.registered_commands]
    names = {c.name or getattr(c.callback, "__name__", ""): c for c in commands}

    assert set(names) >= set(COMMANDS)
    assert [n for n, c in names.items() if "as_json" not in c.callback.__annotations__] == []


@pytest.mark.parametrize(
    ("arguments", "env", "said"),
    [
        (["--domain", "nosuch", "versions"], {}, "domain 'nosuch': neither a shipped domain"),
        (["--domain", "nosuch", "demo"], {}, "domain 'nosuch': neither a shipped domain"),
        (["demo", "--data", "nowhere"], {}, "nowhere: there is no such folder"),
        (["import", "nowhere"], {}, "nowhere: there is no such file or folder"),
        (["recommend", "ann"], {}, "no API runs here: start the stack with `pathlight up`"),
        (["similar", "x"], {}, "no API runs here: start the stack with `pathlight up`"),
        (["publish"], {}, "there is no artifact in "),
        (["--neo4j", "4.4", "up"], {}, "Neo4j '4.4' has no committed lock; these have: "),
        (["status"], {"PATHLIGHT_API_PORT": "http"}, "PATHLIGHT_API_PORT: Input should be a valid"),
        (
            ["versions"],
            {"PATHLIGHT_NEO4J_URI": "bolt://db.example.org:7687"},
            "PATHLIGHT_NEO4J_URI names the remote host db.example.org without a password",
        ),
        (
            ["up"],
            {"PATHLIGHT_REDIS_URL": "redis://queue.example.org:6379"},
            "PATHLIGHT_REDIS_URL names the remote host queue.example.org without a password",
        ),
    ],
    ids=lambda value: value[-2] if isinstance(value, list) and len(value) > 1 else None,
)
def test_bad_input_is_one_sentence(run: Run, arguments, env, said):
    assert refused(run(*arguments, **env)).startswith(said)


def test_it_is_one_sentence_of_a_process_too(run_process: Run):
    assert refused(run_process("train")).startswith("there is no snapshot in ")


def test_a_misspelt_option_is_named(run: Run):
    done = run("status", "--jsno")

    assert done.returncode == 2
    assert "--jsno" in done.stderr


def test_what_is_raised_on_the_way_out_after_ctrl_c_is_a_stop_too(monkeypatch, capsys):
    def app() -> None:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            raise BufferError("object cannot be re-sized") from None

    monkeypatch.setattr("api.cli.app", app)

    with pytest.raises(SystemExit) as ended:
        main()

    assert (ended.value.code, capsys.readouterr().err) == (130, "stopped\n")
