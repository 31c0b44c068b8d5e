"""`LogCalls`: the standard `logging`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from .answers import ANSWERS

if TYPE_CHECKING:
    from oxidyn._core import CallRecord

__all__ = ["LogCalls"]


class LogCalls:
    """Write each call to the standard logger "oxidyn": its operation, table and what it took, no keys and no values.

    A call is logged as DEBUG, and as WARNING where somebody should look: it failed, was throttled or tried again, or took
    at least `slow` seconds. A condition that did not hold is DEBUG. The fields of the record are in the log record too
    (`extra`), for formatters that write JSON.
    """

    __slots__ = ("_logger", "_slow")

    def __init__(self, *, logger: logging.Logger | None = None, slow: float | None = None) -> None:
        self._logger = logging.getLogger("oxidyn") if logger is None else logger
        self._slow = slow

    def __call__(self, call: CallRecord) -> None:
        """Log a call."""
        level = logging.WARNING if self._is_odd(call) else logging.DEBUG
        if not self._logger.isEnabledFor(level):
            return
        fields = {
            "operation": call.operation,
            "table": call.table,
            "duration": call.duration,
            "requests": call.requests,
            "attempts": call.attempts,
            "throttled": call.throttled,
            "bytes_sent": call.bytes_sent,
            "bytes_received": call.bytes_received,
            "read_units": call.read_units,
            "write_units": call.write_units,
            "request_ids": call.request_ids,
            "error": call.error,
            "code": call.code,
        }
        told = [f"{call.duration * 1000:.1f} ms"]
        told += [
            f"{name} {fields[name]}" for name in ("attempts", "throttled", "read_units", "write_units") if fields[name]
        ]
        told += [f"request id {request_id}" for request_id in call.request_ids[-1:]]
        told += [part for part in (call.error, call.code) if part]
        what = call.operation if call.table is None else f'{call.operation} "{call.table}"'
        self._logger.log(level, "%s: %s", what, ", ".join(told), extra=fields)

    def _is_odd(self, call: CallRecord) -> bool:
        has_failed = call.error is not None and call.error not in ANSWERS
        is_slow = self._slow is not None and call.duration >= self._slow
        return has_failed or is_slow or call.throttled > 0 or call.attempts > call.requests
