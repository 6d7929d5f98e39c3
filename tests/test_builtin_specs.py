"""Every spec that comes with the program goes through the whole of it."""

from __future__ import annotations

import pytest

from derive.spec import builtin_names
from derive.verify.report import Status
from tests.render_support import made

MISPRINTS = {
    ("dE_total/dw5", "0.0714", "0.07141"),
    ("dE_total/dout_h1", "0.0099", "0.00988"),
    ("dE_total/dw2", "0.0002475", "0.000247"),
    ("dE_total/dout_h2", "0.01255", "0.01254"),
    ("dE_total/dw4", "0.0003136", "0.0003134"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", builtin_names())
def test_all_routes_agree(name: str) -> None:
    report = made(name).verify()
    wrong = [r for r in report.routes if r.status is Status.DISAGREES]
    assert report.agree, wrong
    assert {r.name for r in report.routes} >= {"SymPy", "differences", "steps", "module python"}


def test_the_article_has_59_right_numbers_and_5_known_misprints() -> None:
    report = made("article").verify()
    published = [row for row in report.numbers if row.published is not None]
    misprints = [row for row in published if row.status is Status.MISPRINT]
    assert report.agree
    assert len(published) == 64
    assert {(r.name, r.published, r.page) for r in misprints} == MISPRINTS
    assert all(row.explanation for row in misprints)
    assert sum(row.status is Status.AGREES for row in published) == 59
