from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from training.artifact import ArtifactError
from training.attention_file import ATTENTION, FILE_NAME, read_attention, write_attention

ROWS = {
    "user": ["k1", "k2"],
    "item": ["i1", "i2"],
    "type": ["rated", "watched"],
    "at": [datetime(2026, 1, 1, tzinfo=UTC)] * 2,
    "attention": [0.25, 1.0],
}


def test_what_is_written_is_read_and_replaced(tmp_path):
    write_attention(tmp_path, pa.table(ROWS, ATTENTION))
    write_attention(tmp_path, pa.table(ROWS, ATTENTION).slice(1))

    found = read_attention(tmp_path)

    assert found.schema.equals(ATTENTION)
    assert found.to_pylist() == [{name: values[1] for name, values in ROWS.items()}]
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


def test_an_artifact_without_it_says_so(tmp_path):
    with pytest.raises(ArtifactError, match=f"has no {FILE_NAME}"):
        read_attention(tmp_path)


def test_a_truncated_or_foreign_file_is_named(tmp_path):
    write_attention(tmp_path, pa.table(ROWS, ATTENTION))
    path = tmp_path / FILE_NAME
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ArtifactError, match=f"{FILE_NAME} cannot be read, make it again"):
        read_attention(tmp_path)

    pq.write_table(pa.table({"user": ["k1"]}), path)
    with pytest.raises(ArtifactError, match=f"{FILE_NAME} cannot be read, make it again"):
        read_attention(tmp_path)
