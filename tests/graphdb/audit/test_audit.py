"""The audit as a whole: what it shows can be run again, what it refuses, and what it lets pass."""

import threading
import tomllib

import pytest

from graphdb.audit.audit import AuditError, audit, confirmed, list_checks, refused, require_sound
from graphdb.domain import load_domain, parse_domain
from graphdb.events.events import save_events
from graphdb.exploration import explore
from graphdb.people.tombstones import person_mark, set_tombstone
from graphdb.specs import AuditSpec, Thresholds
from tests.documents import blocks
from tests.graphdb.sound import AUDIT, DOMAIN, at, counted, fill_sound
from tests.related import TEXT


def allowing(**thresholds: float):
    """The sound graph's domain with thresholds of its own."""
    lines = "\n".join(f"{name} = {share}" for name, share in thresholds.items())
    return parse_domain(f"{TEXT}{AUDIT}\n[audit.thresholds]\n{lines}\n", "allowing.toml")


def test_a_sound_graph_passes_and_every_check_has_looked_at_something(graph):
    fill_sound(graph)

    findings = audit(graph, DOMAIN)

    assert {f.check.name for f in findings} == set(Thresholds.model_fields)
    assert len(findings) == len(Thresholds.model_fields)
    assert [f.check.name for f in findings if not f.of] == []
    assert counted(graph) == {}
    assert refused(findings) is None
    require_sound(graph, DOMAIN)


def test_the_page_says_what_is_allowed_by_default():
    (text,) = blocks("docs/operations.md", "toml")
    told = tomllib.loads(text)["audit"]

    assert AuditSpec.model_validate(told) == AuditSpec()
    assert set(told) == set(AuditSpec.model_fields)
    unsaid = set(Thresholds.model_fields) - set(told["thresholds"])
    assert {getattr(Thresholds(), name) for name in unsaid} == {0}


@pytest.mark.parametrize("name", ["films", "shop", "articles", "social"])
def test_an_empty_graph_passes(graph, name):
    require_sound(graph, load_domain(name))


def test_the_query_of_each_check_counts_the_same_when_a_person_runs_it(graph):
    fill_sound(graph)
    graph.write("MATCH ()-[r:RATED]->(:Item {id: '3'}) SET r.value = 'four' REMOVE r.digest")
    graph.write('CREATE (:Genre {id: "it\'s"}), (:User), (:Item)')
    graph.transaction(lambda tx: set_tombstone(tx, person_mark("p3")))

    findings = audit(graph, DOMAIN)

    assert len([finding for finding in findings if finding.count]) >= 7
    for finding in findings:
        query = finding.check.query
        table = explore(graph, query, timeout=60)
        assert "'" not in query and "$" not in query
        assert table.columns == ["count", "of", "examples"]
        assert [table.rows[0][:2]] == [[finding.count, finding.of]], query


def test_a_count_above_its_threshold_is_refused_in_one_sentence(graph):
    fill_sound(graph)
    graph.write("CREATE (:User {key: 'a'}), (:User {key: 'b'})")
    people = 14

    with pytest.raises(AuditError) as raised:
        require_sound(graph, DOMAIN)

    assert str(raised.value) == (
        f"the audit fails: missing_user_properties counts 2 of {people} (14.3 %), 0 % may be:"
        " nothing is learned from this graph; `pathlight audit` shows the queries,"
        " PATHLIGHT_AUDIT_GATE=false has it trained anyway"
    )
    require_sound(graph, allowing(missing_user_properties=2 / people))
    with pytest.raises(AuditError, match="counts 2 of 14"):
        require_sound(graph, allowing(missing_user_properties=0.14))


def test_what_else_fails_is_counted_in_the_sentence(graph):
    fill_sound(graph)
    graph.write("CREATE (:User {key: 'a'}), (:Item)")

    assert str(refused(audit(graph, DOMAIN))).endswith("0 % may be, and 1 more")


def test_writers_beside_it_are_no_fault(graph):
    fill_sound(graph)
    rows = [[at(f"p{n % 10}", n, 10 + n) for n in range(k * 40, k * 40 + 40)] for k in range(60)]

    def write() -> None:
        for batch in rows:
            save_events(graph, DOMAIN, "beside", batch)

    writer = threading.Thread(target=write)
    (check,) = [c for c in list_checks(graph, DOMAIN) if c.name == "source_counts"]
    writer.start()
    findings = []
    while writer.is_alive():
        findings.append(confirmed(graph, DOMAIN, check))
    writer.join()

    assert findings and all(finding.passed for finding in findings), findings
    assert graph.read(check.statement)[0]["of"] == 105 + 2400
