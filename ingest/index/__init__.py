"""Nearest passages: a published generation of some engine, plus what changed since."""
