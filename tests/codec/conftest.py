"""Properties are checked without a clock, and a failing example is printed so that it can be replayed."""

from hypothesis import settings

settings.register_profile("codec", deadline=None, print_blob=True, database=None)
settings.load_profile("codec")
