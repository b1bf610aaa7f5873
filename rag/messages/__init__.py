"""The sentences about drafts, by language."""
