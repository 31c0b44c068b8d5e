"""Hooks for `on_call=`: the standard `logging`, and OpenTelemetry.

Both are asked for by name, `Client(on_call=[LogCalls(), OpenTelemetry()])`; `import oxidyn` imports neither.
"""

from .log_calls import LogCalls
from .open_telemetry import OpenTelemetry

__all__ = ["LogCalls", "OpenTelemetry"]
