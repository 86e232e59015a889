"""The outside world into the graph: events, catalogues, known data sets, text encoding."""
