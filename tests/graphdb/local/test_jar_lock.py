"""The committed locks: which versions, whole and without addresses."""

import re

import pytest

from graphdb.errors import LockError
from graphdb.local.jar_lock import (
    DEFAULT_VERSION,
    lock_path,
    locked_versions,
    read_lock,
    resolve_jars,
    write_lock,
)


def test_locks_name_both_lines_without_addresses():
    assert locked_versions() == ["2026.08.1", "5.26.30"]
    for version in locked_versions():
        text = lock_path(version).read_text()
        jars = read_lock(version)
        assert "://" not in text
        assert len(jars) > 200
        assert all(re.fullmatch("[0-9a-f]{64}", jar.sha256) for jar in jars)
        assert len({jar.filename for jar in jars}) == len(jars)
        assert ("org.neo4j.app", "neo4j-server", version) in {
            (jar.group, jar.artifact, jar.version) for jar in jars
        }


def test_a_version_without_a_lock_is_refused_by_name():
    with pytest.raises(LockError, match=r"'2026\.01\.0' has no committed lock; .*5\.26\.30"):
        read_lock("2026.01.0")


def test_the_withdrawn_version_is_never_locked():
    with pytest.raises(LockError, match="withdrawn"):
        resolve_jars("2026.08.0")


def test_writing_what_was_read_changes_nothing():
    before = lock_path(DEFAULT_VERSION).read_bytes()

    write_lock(DEFAULT_VERSION, read_lock(DEFAULT_VERSION))

    assert lock_path(DEFAULT_VERSION).read_bytes() == before
