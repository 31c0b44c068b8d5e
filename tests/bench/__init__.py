"""What oxidyn costs beside its peers: `python -m tests.bench`, or `make bench`."""
