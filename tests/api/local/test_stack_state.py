"""The record of a stack: what is written is read again, what is damaged counts as nothing."""

import os
import stat
from pathlib import Path

import pytest

from api.local.stack_state import Record, StackState
from graphdb.local.processes import Child, this_process


def test_a_record_is_read_as_it_was_written_and_private(tmp_path: Path):
    state = StackState.read(tmp_path)
    state.keep("redis", Record(1, 2.0, "redis://127.0.0.1:5"))
    state.keep("api", Record(2, 3.0, "http://127.0.0.1:6", 5.0))
    state.tell({"A": "1"})
    state.keep_up(True)
    state.add_user(Child(7, 8.0))

    assert StackState.read(tmp_path) == state
    assert stat.S_IMODE((tmp_path / "stack.json").stat().st_mode) == 0o600


def test_a_dropped_part_leaves_its_port_behind(tmp_path: Path):
    state = StackState.read(tmp_path)
    state.keep("api", Record(2, 3.0, "http://127.0.0.1:6", 5.0))

    state.drop("api")
    state.drop("never there")

    again = StackState.read(tmp_path)
    assert (again.parts, again.last_api_port) == ({}, 6)


def test_only_other_addresses_differ(tmp_path: Path):
    state = StackState.read(tmp_path)
    assert not state.differs({"A": "1"})

    state.tell({"A": "1"})

    assert not state.differs({"A": "1"})
    assert state.differs({"A": "2"})
    assert "A" not in (tmp_path / "stack.json").read_text().replace("API", "")


def test_users_that_are_gone_are_forgotten(tmp_path: Path):
    state = StackState.read(tmp_path)
    me, other = this_process(), Child(os.getppid(), 1.0)
    for user in (me, me, other):
        state.add_user(user)

    state.remove_user(me)

    assert StackState.read(tmp_path).users == [me]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"parts": {"api": {"pid": 1}}}'])
def test_a_damaged_record_is_an_empty_one(tmp_path: Path, text: str):
    (tmp_path / "stack.json").write_text(text)

    assert StackState.read(tmp_path).parts == {}
