"""The sentences of the app, by language."""
