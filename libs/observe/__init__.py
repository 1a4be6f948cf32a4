"""Logs, figures and health; nothing here knows the trade's rules."""

from libs.observe.figures import Counts, FastHistogram, LoopFigures, Tally
from libs.observe.health import Health, LoopWatch
from libs.observe.logs import configure_logs
from libs.observe.metrics import HealthFigures, Metrics
from libs.observe.money import MoneyLog
from libs.observe.steady_stream import LOG_CHECK, log_problem, steady
from libs.observe.trouble import place_of

__all__ = [
    "LOG_CHECK",
    "Counts",
    "FastHistogram",
    "Health",
    "HealthFigures",
    "LoopFigures",
    "LoopWatch",
    "Metrics",
    "MoneyLog",
    "Tally",
    "configure_logs",
    "log_problem",
    "place_of",
    "steady",
]
