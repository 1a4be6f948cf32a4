"""Time as a port: instants are UTC milliseconds, days are dates in a named zone."""

from libs.clock.calendar import EPOCH, business_day, day_number, day_of, nearest_date
from libs.clock.port import Clock
from libs.clock.system import SystemClock

__all__ = [
    "EPOCH",
    "Clock",
    "SystemClock",
    "business_day",
    "day_number",
    "day_of",
    "nearest_date",
]
