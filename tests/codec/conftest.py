"""Properties are checked without a clock, and a failing example is printed so that it can be replayed.

`HYPOTHESIS_PROFILE=long` takes fifty times as many examples; give pytest `--timeout=0` with it.
"""

import os

from hypothesis import settings

codec = settings(deadline=None, print_blob=True, database=None)
settings.register_profile("codec", codec)
settings.register_profile("long", codec, max_examples=50 * codec.max_examples)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "codec"))
