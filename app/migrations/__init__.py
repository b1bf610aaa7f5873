"""Changes of the tables of all three packages, in order."""
