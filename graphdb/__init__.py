"""The graph and nothing else: no model, HTTP or queue is known here."""
