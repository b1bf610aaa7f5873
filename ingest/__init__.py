"""Bytes in, searchable passages out."""
