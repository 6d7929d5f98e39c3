"""Names of quantities hide nothing that a module defines for itself."""

from __future__ import annotations

import pytest

from derive import build, make
from derive.emit import c, numpy, python, torch
from derive.emit.names import code_name
from derive.spec import parse_spec

HELPERS = {name: target for target in (c, numpy, python, torch) for name in target.HELPERS}


@pytest.mark.parametrize("name", HELPERS)
def test_a_quantity_that_is_called_like_a_helper_has_a_mark(name: str) -> None:
    assert code_name(name) == f"{name}_"


def test_modules_with_such_names_agree() -> None:
    text = (
        "inputs: {x: [0.3, 0.2]}\nparameters: {square: 0.2, w: 0.5}\nmodel:\n"
        "  - ratio[i] = w*x[i]*log(x[i])\n  - times_log[i] = softplus(ratio[i]) + square\n"
        "  - tangent = sum(i, times_log[i]*log(times_log[i]))\nloss: E = (tangent - 1)**2\n"
    )
    report = make(build(parse_spec(text, "my.yaml", "my"))).verify()
    assert report.agree, str(report)
