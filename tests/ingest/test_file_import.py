"""Files into the real graph: once whatever dies in between, again as duplicates, bad rows aside."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from graphdb.domain import load_domain, parse_domain
from graphdb.schema import create_schema
from ingest.errors import DatasetError
from ingest.file_import import find_dataset, import_dataset
from ingest.tables.rejects import Rejects

COUNTS = """
MATCH ()-[r:RATED]->() WITH count(r) AS events, count(DISTINCT r.event_id) AS ids,
  count(DISTINCT r.seq) AS seqs, count(DISTINCT r.source) AS sources, sum(r.value) AS stars
RETURN events, ids, seqs, sources, stars
"""
SOURCES = "MATCH (s:Source) RETURN s.offset AS offset, s.events AS events"
ITEMS = "MATCH (i:Film) WHERE i.title IS NOT NULL RETURN i.id AS id, i.title AS title ORDER BY id"
HEADER = "user_id,item_id,event_type,occurred_at,value\n"


def lines(count, start=0):
    return "".join(
        f"u{n % 97},i{n % 41},rated,2025-01-01T10:{n // 60 % 60:02d}:{n % 60:02d}Z,{n % 5}\n"
        for n in range(start, start + count)
    )


def run(graph, domain, path, rejects=None):
    with Rejects(rejects) as refused:
        return import_dataset(graph, domain, find_dataset(path, domain), refused), refused


def test_a_file_is_imported_once_however_often(graph, domain, tmp_path):
    (tmp_path / "e.csv").write_text(HEADER + lines(3000) + lines(1, 2999))
    first, _ = run(graph, domain, tmp_path / "e.csv")
    again, _ = run(graph, domain, tmp_path / "e.csv")

    assert (first.events, first.duplicates, again.events, again.duplicates) == (3001, 0, 0, 3001)
    counts = {"events": 3001, "ids": 3001, "seqs": 3001, "sources": 1, "stars": 6004}
    assert graph.read(COUNTS) == [counts]
    assert graph.read(SOURCES) == [{"offset": 3000, "events": 3001}]


def test_a_file_that_grew_adds_what_is_new(graph, domain, tmp_path):
    (tmp_path / "e.csv").write_text(HEADER + lines(500))
    run(graph, domain, tmp_path / "e.csv")
    (tmp_path / "e.csv").write_text(HEADER + lines(700))
    grown, _ = run(graph, domain, tmp_path / "e.csv")

    assert (grown.events, grown.duplicates) == (200, 500)


def test_bad_rows_are_written_down_and_the_rest_goes_in(graph, domain, tmp_path):
    bad = "u1,i1,rated,soon,1\nu1,i1,rated\n"
    conflict = "e1,u1,i1,rated,2025-01-01,1\ne1,u1,i1,rated,2025-01-01,2\n"
    (tmp_path / "e.csv").write_text(HEADER + bad + lines(10) + bad)
    (tmp_path / "c.csv").write_text("event_id," + HEADER + conflict)
    done, refused = run(graph, domain, tmp_path / "e.csv", tmp_path / "rejects.jsonl")

    assert (done.events, refused.total) == (10, 4)
    written = [json.loads(line) for line in (tmp_path / "rejects.jsonl").read_text().splitlines()]
    assert [(row["row"], row["code"]) for row in written] == [
        (0, "invalid_value"),
        (1, "not_a_row"),
        (12, "invalid_value"),
        (13, "not_a_row"),
    ]
    assert graph.read(SOURCES)[0]["offset"] == 13
    done, refused = run(graph, domain, tmp_path / "c.csv")
    assert (done.events, refused.summary()[0]["code"]) == (1, "conflict")


def test_items_and_people_come_with_their_files(graph, tmp_path):
    domain = parse_domain(
        """
name = "films"
[item]
label = "Film"
[item.fields.title]
text = true
[user.fields.age]
type = "integer"
[events.rated]
relationship = "RATED"
[files.events]
path = "e.csv"
[files.items]
path = "i.csv"
[files.users]
path = "u.csv"
""",
        "mapped",
    )
    (tmp_path / "e.csv").write_text(HEADER + lines(5))
    (tmp_path / "i.csv").write_text("id,title\ni0,A\ni1,B\n")
    (tmp_path / "u.csv").write_text("id,age\nu0,7\nu1,old\n")
    done, refused = run(graph, domain, tmp_path)

    assert (done.users, done.items, done.events, refused.total) == (1, 2, 5, 1)
    assert graph.read(ITEMS) == [{"id": "i0", "title": "A"}, {"id": "i1", "title": "B"}]


IMPORT = """
import sys
from pathlib import Path
from graphdb.connection import Graph
from graphdb.domain import load_domain
from ingest.file_import import find_dataset, import_dataset
from ingest.tables.rejects import Rejects
uri, password, path = sys.argv[1:]
domain = load_domain("films")
with Graph(uri, password) as graph, Rejects(Path(path).with_suffix(".rejects")) as rejects:
    print(import_dataset(graph, domain, find_dataset(Path(path), domain), rejects))
"""


def test_an_import_that_is_killed_goes_on_and_ends_the_same(
    graph, domain, tmp_path, neo4j_address, project
):
    path = tmp_path / "e.csv"
    bad = "u1,i1,rated,soon,1\n"
    path.write_text(HEADER + "".join(lines(99, 99 * n) + bad for n in range(300)))
    command = [sys.executable, "-c", IMPORT, neo4j_address.uri, neo4j_address.password, str(path)]
    child = subprocess.Popen(command, cwd=project, env={**os.environ, "PYTHONPATH": str(project)})
    deadline = time.monotonic() + 120
    while not (found := graph.read(SOURCES)) or found[0]["events"] < 4000:
        assert child.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    before = graph.read(COUNTS)[0]["events"]
    assert 4000 <= before < 29_700

    done, refused = run(graph, domain, path, tmp_path / "rejects.jsonl")
    assert (done.events, done.duplicates, refused.total) == (29_700 - before, before, 300)
    counts = graph.read(COUNTS)[0]
    assert (counts["events"], counts["ids"], counts["seqs"]) == (29_700, 29_700, 29_700)
    assert graph.read(SOURCES) == [{"offset": 29_999, "events": 29_700}]


def test_a_data_set_of_another_domain_is_refused_in_a_sentence(domain, data_folder, tmp_path):
    with pytest.raises(DatasetError, match="is for the domain shop, and this stack's is films"):
        find_dataset(data_folder / "online-retail", domain)
    with pytest.raises(
        DatasetError, match=r"holds no data set that is known here.*pathlight check"
    ):
        find_dataset(tmp_path, domain)
    with pytest.raises(DatasetError, match="there is no such file or folder"):
        find_dataset(tmp_path / "absent", domain)


def test_grouplens_films_come_from_several_files(graph, domain, tmp_path):
    (tmp_path / "ratings.csv").write_text("userId,movieId,rating,timestamp\n1,31,2.5,1260759144\n")
    (tmp_path / "movies.csv").write_text(
        'movieId,title,genres\n31,"Kid, The (1921)",Comedy|Drama\n'
    )
    done, _ = run(graph, domain, tmp_path)

    assert (done.items, done.events) == (1, 1)
    assert graph.read(ITEMS) == [{"id": "31", "title": "The Kid"}]


def test_a_prefix_of_real_invoices_is_bought_and_returned(graph, data_folder, tmp_path):
    import pyarrow.parquet as pq

    shop = load_domain("shop")
    create_schema(graph, shop)
    table = pq.read_table(data_folder / "online-retail" / "online_retail.parquet").slice(0, 3000)
    pq.write_table(table, tmp_path / "online_retail.parquet")
    done, refused = run(graph, shop, tmp_path)

    people = [who for who in table["CustomerID"].to_pylist() if who]
    assert (done.events, refused.total) == (len(people), 3000 - len(people))
    assert done.users == len(set(people))
