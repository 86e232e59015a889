"""The stream of what was sent: kept, read, written into the graph, or put aside."""
