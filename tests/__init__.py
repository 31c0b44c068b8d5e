"""The Python tests; the folder mirrors `src/` and `python/oxidyn/`."""
