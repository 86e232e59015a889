"""Answers: who asks, what is found, what is allowed, in which order it is told."""
