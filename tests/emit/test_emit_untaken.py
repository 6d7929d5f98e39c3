"""A branch that is not taken has no value here, and every module gives that of the other."""

from __future__ import annotations

import pytest

from derive import build
from derive.pipeline import make
from derive.spec import parse_spec

SPEC = """
parameters: {{s: 1, u: 1e90}}
sizes: {{k: 2}}
inputs: {{x: [1, -2]}}
model:
  - {0}
  - E = sum(i, (a[i]*x[i] - 1)**2)
training: {{learning_rate: "{1}", steps: 2}}
"""
CASES = [
    ("a[i] = where(s > 1, 1/(s - 1), s**2)", "0.01"),
    ("a[i] = where(x[i] > 1.5, 1/(s - 1) + u**4, s**2)", "0.01"),
    ("a[i] = s*x[i]", "0.01*where(k > 1, 1/(k - 1), 1)"),
    ("a[i] = x[i]*where(s > 0, max(k, s), 2)", "0.01"),
]


@pytest.mark.parametrize(("equation", "rate"), CASES)
def test_a_branch_that_is_not_taken_needs_no_value(equation: str, rate: str) -> None:
    report = make(build(parse_spec(SPEC.format(equation, rate), "my.yaml", "my"))).verify()
    assert report.agree, str(report)
