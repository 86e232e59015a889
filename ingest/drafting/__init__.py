"""What a file nobody has described holds: looked at, guessed, and drafted as a domain."""
