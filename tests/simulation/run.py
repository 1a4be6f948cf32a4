"""``python -m tests.simulation.run 1 300``: live through seeds; a failing one is shrunk and told.

The command that is printed replays it exactly.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

import structlog

from tests.simulation.faults import Kind
from tests.simulation.world import PURCHASES, TERMINALS, Order, Report, simulate

SAID_MAX: Final = 5
_CRITICAL: Final = 50


Live = Callable[[Order], Report]


def shrink(order: Order, report: Report, live: Live = simulate) -> Order:
    """Ask for fewer kinds of fault, then fewer purchases and terminals, while it still fails."""
    for kind in sorted(report.faults):
        order = _smallest([replace(order, without=order.without | {kind})], order, live)
    order = _smallest([replace(order, purchases=n) for n in range(1, order.purchases)], order, live)
    return _smallest([replace(order, terminals=n) for n in range(1, order.terminals)], order, live)


def _smallest(candidates: Sequence[Order], otherwise: Order, live: Live) -> Order:
    """Return the first candidate that fails."""
    return next((one for one in candidates if live(one).problems), otherwise)


def command_of(order: Order) -> str:
    """Return what replays an order exactly."""
    words = [f"python -m tests.simulation.run {order.seed} {order.seed}"]
    if order.terminals != TERMINALS:
        words.append(f"--terminals {order.terminals}")
    if order.purchases != PURCHASES:
        words.append(f"--purchases {order.purchases}")
    if order.without:
        words.append(f"--without {' '.join(sorted(order.without))}")
    return " ".join(words)


def quieten() -> None:
    """Let the product log nothing: thousands of worlds would bury what is of interest."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(_CRITICAL))


def failures(orders: Sequence[Order], met: Counter[str]) -> Iterator[tuple[Order, Report]]:
    """Live through orders and give those that fail; ``met`` counts what was met in all."""
    for order in orders:
        report = simulate(order)
        met.update({kind.value: count for kind, count in report.faults.items()})
        met["messages"] += sum(report.heard.values())
        met["steps"] += report.steps
        if report.problems:
            yield order, report


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("first", type=int)
    parser.add_argument("last", type=int)
    parser.add_argument("--terminals", type=int, default=TERMINALS)
    parser.add_argument("--purchases", type=int, default=PURCHASES)
    parser.add_argument("--without", nargs="*", type=Kind, default=[])
    parser.add_argument("--keep-going", action="store_true", help="do not end at the first failure")
    parser.add_argument("--no-shrink", action="store_true")
    return parser.parse_args()


def main() -> int:
    """Live through the seeds; 1 when one fails."""
    asked = _asked()
    quieten()
    orders = [
        Order(
            seed=seed,
            without=frozenset(asked.without),
            terminals=asked.terminals,
            purchases=asked.purchases,
        )
        for seed in range(asked.first, asked.last + 1)
    ]
    began, met, failed = time.monotonic(), Counter[str](), 0
    for order, report in failures(orders, met):
        failed += 1
        smallest = order if asked.no_shrink else shrink(order, report)
        print(f"seed {order.seed} fails; replay: {command_of(smallest)}")
        for problem in simulate(smallest).problems[:SAID_MAX]:
            print(f"  {problem}")
        if not asked.keep_going:
            break
    seconds = time.monotonic() - began
    told = ", ".join(f"{name} {count:,}" for name, count in sorted(met.items()))
    print(f"{failed} of {len(orders)} seeds fail, {seconds:.0f} s; met: {told}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
