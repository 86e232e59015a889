"""A real Neo4j for one directory: its jars, its process, its end."""
