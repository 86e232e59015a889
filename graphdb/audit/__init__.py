"""What Community cannot constrain, counted and held against thresholds."""
