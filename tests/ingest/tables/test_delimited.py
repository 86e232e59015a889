"""Cutting text into records: dialects found out, and reading on after whatever cannot be cut."""

import gzip

import pytest

from ingest.tables.delimited import (
    LONGEST_CELL,
    LONGEST_LINE,
    bounded_lines,
    open_text,
    sniff,
    split,
    split_blocks,
)


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        ("a,b,c\n1,2,3\n4,5,6\n", ","),
        ("a;b\n1,5;2\n2,5;3\n", ";"),
        ("a\tb c\n1\t2 3, or\n", "\t"),
        ("1::Film (1999)::A|B\n2::Other::A\n", "::"),
        ("1|a, b|c\n2|d|e\n", "|"),
        ("id\n1\n2\n", ","),
    ],
)
def test_a_separator_is_what_cuts_lines_alike(tmp_path, text, separator):
    (tmp_path / "t.csv").write_text(text)

    assert sniff(tmp_path / "t.csv", None, '"', None).separator == separator


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_encodings_are_found_out(tmp_path, encoding):
    (tmp_path / "t.csv").write_bytes("name,b\nKäse €,1\n".encode(encoding))

    dialect = sniff(tmp_path / "t.csv", None, '"', None)
    with open_text(tmp_path / "t.csv", dialect.encoding) as file:
        assert file.read() == "name,b\nKäse €,1\n"


def test_zipped_text_is_read(tmp_path):
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(b"a,b\n1,2\n"))

    with open_text(
        tmp_path / "t.csv.gz", sniff(tmp_path / "t.csv.gz", None, '"', None).encoding
    ) as f:
        assert f.read() == "a,b\n1,2\n"


def test_a_line_without_end_does_not_fill_the_memory(tmp_path):
    (tmp_path / "t").write_text("x" * (3 * LONGEST_LINE))

    with open_text(tmp_path / "t", "utf-8") as file:
        assert max(map(len, bounded_lines(file))) <= LONGEST_LINE + (1 << 20)


TRICKY = [
    'a,b\n1,"x\ny"\n2,z\n',
    'a,b\n1,"x,""y"""\n\n2,z\n',
    "a,b\n1\n2,3\n4,5,6\n7,8\n",
    'a,b\n1,"never closed\n2,z\n3,w\n4,v\n',
    'a,b\n"1",2\n3,"4\n5"\n6,7',
    f"a,b\n1,{'y' * (LONGEST_CELL + 1)}\n2,z\n",
]


@pytest.mark.parametrize("text", TRICKY)
def test_blocks_are_cut_as_single_records_are(text):
    whole = list(split(text.splitlines(keepends=True), ",", '"'))
    for size in (1, 2, 3, 100):
        lines = iter(text.splitlines(keepends=True))
        assert [r for block in split_blocks(lines, ",", '"', size) for r in block] == whole


def test_a_record_may_run_over_lines():
    assert [cells for _, cells, _ in split(["a,b\n", '1,"x\n', 'y"\n'], ",", '"')] == [
        ["a", "b"],
        ["1", "x\ny"],
    ]


def test_a_quote_that_is_not_closed_costs_one_line():
    lines = ["a,b,c\n", '1,"open,2\n', "2,z,3\n", "3,w,4\n"]
    records = list(split(lines, ",", '"'))

    assert [cells for _, cells, _ in records] == [
        ["a", "b", "c"],
        None,
        ["2", "z", "3"],
        ["3", "w", "4"],
    ]
    assert records[1] == (2, None, "a quote is opened and not closed")
