"""Data in and out from the command line."""

import json
import socket
from pathlib import Path

import pytest

from graphdb.snapshot import read_manifest
from tests.api.pathlight import Run, refused


def test_a_snapshot_as_of_a_time_and_one_since_another(on_graph: Run, tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("user_id,item_id,event_type,occurred_at\nu1,i1,rated,2025-01-01\n")
    on_graph("import", str(path))

    before = json.loads(on_graph("snapshot", "--as-of", "2025-01-02", "--json").stdout)
    first = json.loads(on_graph("snapshot", "--json").stdout)
    name = first["snapshot"].rpartition("/")[2]
    later = json.loads(on_graph("snapshot", "--since", name, "--json").stdout)
    counts = [read_manifest(Path(told["snapshot"])).counts for told in (before, first, later)]
    lost = on_graph("snapshot", "--since", "none")

    events = [count["events"] for count in counts]
    assert first["snapshot"].startswith(str(tmp_path / "home" / "snapshots"))
    assert events[0] == 0 < events[1] == events[2]
    assert (later["since"], later["since_refused"]) == (name, None)
    assert "; a full one: " in lost.stdout
    assert on_graph("snapshot", "--as-of", "soon").returncode == 2


def test_bad_rows_of_a_file_are_counted_and_written_to_the_home(on_graph: Run, tmp_path):
    path = tmp_path / "log.csv"
    good = "u1,i1,rated,2025-01-01,3\n"
    path.write_text(f"user_id,item_id,event_type,occurred_at,value\n{good}u1,i1,rated,soon,3\n")
    done = on_graph("import", str(path))
    told = json.loads(on_graph("import", str(path), "--json").stdout)

    rejects = tmp_path / "home" / "rejects" / "log.jsonl"
    assert f"1 new events, 0 known ones; 1 rows rejected, see {rejects}" in done.stdout
    assert (told["events"], told["duplicates"], told["rejected"]) == (0, 1, 1)
    assert told["reasons"] == [
        {"file": "log.csv", "field": "occurred_at", "code": "invalid_value", "rows": 1}
    ]
    assert json.loads(rejects.read_text())["row"] == 1


def test_a_file_of_which_nothing_can_be_taken_is_refused(on_graph: Run, tmp_path):
    (tmp_path / "log.csv").write_text(
        "user_id,item_id,event_type,occurred_at\nu1,i1,eaten,2025-01-01\n"
    )
    chosen = tmp_path / "bad.jsonl"

    said = refused(
        on_graph("import", str(tmp_path / "log.csv"), "--rejects", str(chosen), "--json")
    )
    assert (
        said == f"none of 1 rows could be taken (event_type: unknown_event_type); {chosen} says why"
    )


@pytest.mark.faults
def test_an_address_is_no_path(on_graph: Run):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/log.csv"

        said = [refused(on_graph(command, url)) for command in ("import", "check")]

        assert all("log.csv" in sentence for sentence in said)
        with pytest.raises(BlockingIOError):
            listening.accept()


def test_a_check_drafts_a_domain_that_imports(on_graph: Run, tmp_path):
    rows = "".join(f"m{n % 9},t{n % 7},{n % 5 + 1},2025-01-{n % 28 + 1:02d}\n" for n in range(200))
    (tmp_path / "log.csv").write_text(f"member,track,rating,day\n{rows}")
    draft = tmp_path / "draft.toml"
    said = on_graph("check", str(tmp_path / "log.csv"), "--draft", str(draft)).stdout
    told = json.loads(on_graph("check", str(tmp_path / "log.csv"), "--json").stdout)

    assert "of 200 rows of the sample 200 would be taken: 200 rated" in said
    assert (told["users"], told["items"], told["draft"]) == (9, 7, draft.read_text())
    done = on_graph("--domain", str(draft), "import", str(tmp_path / "log.csv"))
    assert "200 new events" in done.stdout
