"""What answers ask of the graph: the person, candidates, rules, reasons, and what was shown."""
