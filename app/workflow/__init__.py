"""Use cases: each asks who may, loads, changes and records, in one transaction."""
