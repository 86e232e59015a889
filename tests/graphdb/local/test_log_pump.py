"""The bounded log: nothing beyond its size, the newest lines in the first file."""

from pathlib import Path

from graphdb.local.log_pump import BoundedLog


def test_files_shift_and_the_oldest_falls_out(tmp_path: Path):
    log = BoundedLog(tmp_path / "x.log", max_bytes=10, files=3)

    for word in (b"aaaaaaa\n", b"bbbbbbb\n", b"ccccccc\n", b"ddddddd\n"):
        log.write(word)
    log.close()

    kept = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert kept == {"x.log": b"ddddddd\n", "x.log.1": b"ccccccc\n", "x.log.2": b"bbbbbbb\n"}


def test_an_existing_log_is_continued(tmp_path: Path):
    path = tmp_path / "x.log"
    path.write_bytes(b"before\n")

    log = BoundedLog(path, max_bytes=100, files=1)
    log.write(b"after\n")
    log.close()

    assert path.read_bytes() == b"before\nafter\n"


def test_one_file_alone_starts_anew(tmp_path: Path):
    log = BoundedLog(tmp_path / "x.log", max_bytes=5, files=1)

    log.write(b"first")
    log.write(b"second")
    log.close()

    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"x.log": b"second"}
