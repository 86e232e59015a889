import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.split_files import SplitFileError, read_split_files

TXT = ("007 a b\n8 b\n9\n", "8 a c\n")
TSV = (
    "user_id\titem_id\tvalue\n007\ta\t1\n007\tb\t5\n8\tb\t\n",
    "user_id\titem_id\n8\ta\n8\tc\n",
)


def files(folder, texts, suffix):
    paths = [folder / f"{name}{suffix}" for name in ("train", "test")]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text)
    return paths


def pairs(part, found):
    return {
        (found.user_ids[user], found.item_ids[item])
        for user, item in zip(part.user_index, part.item_index, strict=True)
    }


@pytest.mark.parametrize(("texts", "suffix"), [(TXT, ".txt"), (TSV, ".tsv")])
def test_a_split_is_the_same_from_lines_and_from_columns(tmp_path, texts, suffix):
    found = read_split_files(*files(tmp_path, texts, suffix))

    assert pairs(found.train, found) == {("007", "a"), ("007", "b"), ("8", "b")}
    assert pairs(found.test, found) == {("8", "a"), ("8", "c")}
    assert found.train.at is None
    assert (found.train.user_count, found.train.item_count) == (2, 3)


@pytest.mark.parametrize(
    "times",
    [
        pa.array([30, 10, 20]),
        pa.array([3.5, 1.5, 2.5]),
        pa.array(["2024-01-03T00:00:00", "2024-01-01T00:00:00", "2024-01-02T00:00:00"]),
        pa.array(
            ["2024-01-03T00:00:00Z", "2024-01-03T00:00:00+05:00", "2024-01-03T00:00:00+01:00"]
        ),
        pa.array([3, 1, 2], pa.timestamp("ms")),
    ],
)
def test_times_keep_their_order_whatever_their_kind(tmp_path, times):
    train, test = tmp_path / "train.parquet", tmp_path / "test.parquet"
    pq.write_table(pa.table({"user_id": [1, 1, 1], "item_id": [5, 6, 7], "at": times}), train)
    pq.write_table(pa.table({"user_id": [1], "item_id": [8]}), test)

    found = read_split_files(train, test)

    assert [found.item_ids[row] for row in found.train.item_index] == ["5", "6", "7"]
    assert found.train.at.argsort().tolist() == [1, 2, 0]


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("train.csv", "", "expected a file called .txt, .tsv, .parquet"),
        ("train.txt", "1\n", "has no interactions"),
        ("train.tsv", "user_id\titem\n1\t2\n", "has no column 'item_id': .* found user_id, item"),
        ("train.tsv", "user_id\titem_id\tat\n1\t2\tsoon\n", "at is not a time"),
        ("train.parquet", "no parquet", "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(tmp_path, name, text, sentence):
    (tmp_path / name).write_text(text)
    (tmp_path / "test.txt").write_text("1 2\n")

    with pytest.raises(SplitFileError, match=sentence):
        read_split_files(tmp_path / name, tmp_path / "test.txt")


def test_a_row_without_an_id_is_named(tmp_path):
    rows = pa.table({"user_id": ["1", None], "item_id": ["2", "3"]})
    pq.write_table(rows, tmp_path / "t.parquet")
    (tmp_path / "test.txt").write_text("1 2\n")

    with pytest.raises(SplitFileError, match="row 2: user_id is missing"):
        read_split_files(tmp_path / "t.parquet", tmp_path / "test.txt")
