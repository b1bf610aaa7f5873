"""A ticket in, a cited draft out."""
