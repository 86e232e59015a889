"""`python -m training evaluate ARTIFACT SNAPSHOT`: judge an artifact's recipe again."""

import argparse
import json
from pathlib import Path

from training.judging.judgement import FILE_NAME, write_judgement
from training.judging.retrial import RetrialConfig, judge_again
from training.named import checked
from training.running.loop import Report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command is given."""
    defaults = RetrialConfig()
    parser.add_argument("artifact", type=Path)
    parser.add_argument("snapshot", type=Path)
    parser.add_argument("--split", default=defaults.split)
    parser.add_argument("--share", type=float, default=defaults.share)
    parser.add_argument("--given", type=Path)
    parser.add_argument("--cutoff", type=int, action="append", dest="cutoffs")
    parser.add_argument("--group", action="append", dest="groups")
    parser.add_argument("--dial", action="append", dest="dials")
    parser.add_argument("--kinds", type=json.loads, help="training.judging.dials.Kinds as JSON")
    parser.add_argument("--against", type=Path, action="append", default=[])
    parser.add_argument("--seed", type=int, default=defaults.seed)
    parser.add_argument("--out", type=Path, help="the judgement's file, the artifact's own if none")


def run(options: argparse.Namespace, report: Report) -> dict:
    """Judge and write the judgement; the last line to print."""
    named = {name: getattr(options, name) for name in RetrialConfig.model_fields}
    given = {name: value for name, value in named.items() if value is not None}
    config = checked(RetrialConfig, "evaluate", given)
    judgement = judge_again(
        options.artifact, options.snapshot, config, against=options.against, report=report
    )
    out = options.out or options.artifact / FILE_NAME
    write_judgement(out, judgement)
    return {"judgement": str(out), "users": judgement.users}
