"""The same calls to two clouds, and how their answers differ: see duel.py; the other files are what is called."""
