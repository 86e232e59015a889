"""HTTP routes: each file reads from its shapes down to its endpoints, each endpoint one call."""
