"""The attention command called in this process."""

import argparse

from tests.training.test_attended import ROWS, trained
from training.attention_file import FILE_NAME
from training.commands import attention
from training.models.gat import GATConfig


def parsed(command, *arguments) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return parser.parse_args(list(map(str, arguments)))


def test_the_file_is_written_and_counted(make_snapshot, tmp_path):
    snapshot, artifact = make_snapshot(ROWS, 7, 5), tmp_path / "m"
    trained(snapshot, artifact, GATConfig(dimensions=8))
    told = []

    result = attention.run(parsed(attention, snapshot, artifact), told.append)

    assert result == {"attention": len(ROWS)}
    assert (artifact / FILE_NAME).is_file()
    assert [(step.step, step.done) for step in told] == [("attention", 0), ("attention", 1)]
