"""What the files of office programs have in common: XML in containers, numbers, tables."""
