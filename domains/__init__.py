"""The shipped domain files, found by name through importlib.resources."""
