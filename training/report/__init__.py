"""Pages about artifacts: what was learned, how well, from what; one file, read offline."""
