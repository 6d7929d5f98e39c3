"""What all tests share: how memory is looked after, and what the fast part takes of long tables."""

from __future__ import annotations

import gc
import os

import pytest

from derive.cli import GARBAGE

# As the program does; and one process of tests asks for the same expressions again and again.
gc.set_threshold(*GARBAGE)
os.environ.setdefault("SYMPY_CACHE_SIZE", "50000")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--rows N`: how many rows of each table are not slow; 0 for all of them."""
    parser.addoption(
        "--rows", type=int, default=2, help="rows of a table that are not slow; 0: all"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark as slow all but a few rows of each table, spread from its first to its last."""
    most = config.getoption("--rows")
    if not most:
        return
    tables: dict[str, list[pytest.Item]] = {}
    for item in items:
        tables.setdefault(item.nodeid.partition("[")[0], []).append(item)
    for rows in tables.values():
        few = {k * (len(rows) - 1) // max(most - 1, 1) for k in range(most)}
        for k, row in enumerate(rows):
            if k not in few:
                row.add_marker(pytest.mark.slow)
