"""The version that serves, in this process's memory, and the choice between it and the graph."""
