"""The prints of the article: what is right, and which numbers are known to be wrong."""

from __future__ import annotations

from derive.verify.report import Status
from tests.render_support import made

MISPRINTS = {
    ("dE_total/dw5", "0.0714", "0.07141"),
    ("dE_total/dout_h1", "0.0099", "0.00988"),
    ("dE_total/dw2", "0.0002475", "0.000247"),
    ("dE_total/dout_h2", "0.01255", "0.01254"),
    ("dE_total/dw4", "0.0003136", "0.0003134"),
}


def test_the_article_has_59_right_numbers_and_5_known_misprints() -> None:
    report = made("article").verify()
    published = [row for row in report.numbers if row.published is not None]
    misprints = [row for row in published if row.status is Status.MISPRINT]
    assert report.agree
    assert len(published) == 64
    assert {(r.name, r.published, r.page) for r in misprints} == MISPRINTS
    assert all(row.explanation for row in misprints)
    assert sum(row.status is Status.AGREES for row in published) == 59
