"""Emptying the run's graph between tests."""

from graphdb.connection import Graph

# In small transactions: a data set's relationships at once are more than one may hold.
WIPE = (
    "MATCH ()-[r]->() CALL (r) { DELETE r } IN TRANSACTIONS OF 10000 ROWS",
    "MATCH (n) CALL (n) { DELETE n } IN TRANSACTIONS OF 1000 ROWS",
)


def wipe(graph: Graph, *, indexes: bool = True) -> None:
    """Remove every node and, unless told to leave them, vector index."""
    with graph._driver.session(database=graph.database) as session:
        found = session.run("SHOW VECTOR INDEXES YIELD name RETURN name") if indexes else ()
        for record in list(found):
            session.run(f"DROP INDEX {record['name']}").consume()
        for statement in WIPE:
            session.run(statement).consume()
