"""Events into the graph: each written once, weighed, taken back."""
