"""Snapshots to artifacts: neither the database nor HTTP nor the queue is known here."""
