"""A graph that counts how much the server looks at: of that there is no more on a slow machine."""

from typing import Any

from graphdb.connection import Graph


class Profiled:
    """Runs what it is given on `graph`; `hits` is what that took, in the server's own measure."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self.hits = 0

    def read(self, statement: str, **parameters: Any) -> list[dict[str, Any]]:
        driver, database = self._graph._driver, self._graph.database
        done = driver.execute_query("PROFILE " + statement, parameters, database_=database)
        waiting = [done.summary.profile]
        while waiting:
            step = waiting.pop()
            waiting += step.get("children", [])
            self.hits += step.get("dbHits", 0)
        return [dict(record) for record in done.records]
