"""Documents are checked: own errors, what follows from them, and nothing that is right."""

from __future__ import annotations

import random
import re

import pytest

import derive
from derive.proofread.align import aligned
from derive.proofread.check import check
from derive.proofread.digits import found_policy
from derive.proofread.policy import Policy
from derive.proofread.reader import read
from derive.proofread.reading import Remark, Verdict
from derive.proofread.report import checked
from derive.proofread.slips import miswritten
from derive.scaffold import scaffold
from derive.spec import parse_spec

CHAIN = r"""
Let $x = 0.6$, $w = 0.7$, $v = 0.9$, $t = 0.5$.
$$z = w x = 0.7 \cdot 0.6 = 0.42$$
$$h = \frac{1}{1 + e^{-z}} = \frac{1}{1 + e^{-0.42}} = 0.6035$$
$$y = v h = 0.9 \cdot 0.6035 = 0.5432$$
$$\frac{\partial E}{\partial y} = y - t = 0.5432 - 0.5 = 0.0432$$
$$\frac{\partial E}{\partial h} = \frac{\partial E}{\partial y} v = 0.0432 \cdot 0.9 = 0.03888$$
$$\frac{\partial h}{\partial z} = h(1 - h) = 0.6035 (1 - 0.6035) = 0.2393$$
$$\frac{\partial E}{\partial w} = \frac{\partial E}{\partial h} \frac{\partial h}{\partial z}
\frac{\partial z}{\partial w} = 0.03888 \cdot 0.2393 \cdot 0.6 = 0.005582$$
"""
FOUR = Policy(digits=4)


def remarks(text: str, policy: Policy | None = FOUR) -> list[Remark]:
    items = read(text)
    return check(items, found_policy(items) if policy is None else policy)


def off(text: str, policy: Policy | None = FOUR) -> list[tuple[str, str, str, str | None]]:
    """Verdict, name, print and right number of all that is not right."""
    quiet = (Verdict.RIGHT, Verdict.GIVEN, Verdict.FORMULA)
    return [
        (r.verdict.value, r.name, r.printed, r.expected)
        for r in remarks(text, policy)
        if r.verdict not in quiet
    ]


def test_what_is_right_is_quiet() -> None:
    assert off(CHAIN) == []


OWN = [
    # where, instead, what is said of it
    ("= 0.42$$", "= 0.43$$", ("wrong", "z", "0.43", "0.42"), ""),
    ("= 0.6035$$", "= 0.6053$$", ("wrong", "h", "0.6053", "0.6035"), "changed places"),
    ("= 0.6035$$", "= 6.035$$", ("wrong", "h", "6.035", "0.6035"), "decimal point is 1 place"),
    ("= 0.5432$$", "= 0.5431$$", ("digits", "y", "0.5431", "0.5432"), "cut off"),
    ("= 0.03888$$", "= 0.039$$", ("digits", "∂E/∂h", "0.039", "0.03888"), "fewer digits"),
    ("= 0.0432$$", "= -0.0432$$", ("wrong", "∂E/∂y", "-0.0432", "0.0432"), "sign"),
    ("= 0.005582$$", "= 0.005682$$", ("wrong", "∂E/∂w", "0.005682", "0.005582"), ""),
]


@pytest.mark.parametrize(("right", "wrong", "said", "why"), OWN, ids=lambda v: str(v)[:20])
def test_an_error_of_its_own(right: str, wrong: str, said: tuple[str, ...], why: str) -> None:
    text = CHAIN.replace(right, wrong)
    assert text != CHAIN
    found = [r for r in remarks(text) if r.name == said[1] and r.verdict.value == said[0]]
    assert [(r.verdict.value, r.name, r.printed, r.expected) for r in found] == [said]
    assert why in found[0].reason
    assert why or not found[0].reason  # better no reason than a false one


def test_what_follows_from_an_error_names_it() -> None:
    text = (
        CHAIN.replace("= 0.0432$$", "= 0.0532$$")
        .replace(r"0.0432 \cdot 0.9 = 0.03888", r"0.0532 \cdot 0.9 = 0.04788")
        .replace(
            r"0.03888 \cdot 0.2393 \cdot 0.6 = 0.005582",
            "0.04788 \\cdot 0.2393 \\cdot 0.6 = 0.006875",
        )
    )
    assert off(text) == [
        ("wrong", "∂E/∂y", "0.0532", "0.0432"),
        ("follows", "∂E/∂h", "0.04788", "0.03888"),
        ("follows", "∂E/∂w", "0.006875", "0.005582"),
    ]
    found = remarks(text)
    origin = next(k for k, r in enumerate(found) if r.verdict is Verdict.WRONG)
    assert [r.follows for r in found if r.verdict is Verdict.FOLLOWS] == [origin, origin]


SUM = r"""
$a = 0.5843$, $b = 0.2411$, $c = -0.3714$, $d = 0.2359$, $s = 0.25$
$$\frac{\partial E}{\partial w} = (a b \times 0.35 + c d \times 0.45) \times
\frac{\partial h}{\partial z} \times \frac{\partial z}{\partial w}$$
$$\frac{\partial E}{\partial v} = \frac{\partial E}{\partial h} \times
\frac{\partial h}{\partial z} \times s$$
$$\frac{\partial E}{\partial v} = 0.0099 \times 0.25 \times 0.25 = 0.0006188$$
"""


def test_an_operand_that_was_never_shown_is_found_by_the_chain_rule() -> None:
    """The bracket of ∂E/∂w is ∂E/∂h; rounding every product of it leads to the print."""
    assert off(SUM) == [
        ("wrong", "∂E/∂h", "0.0099", "0.00988"),
        ("follows", "∂E/∂v", "0.0006188", "0.0006175"),
    ]
    assert "every product and sum is rounded" in remarks(SUM)[-2].reason


QUIET = {
    "a double": "$a = 0.7$, $b = 0.4$\n$$c = a b = 0.7 \\cdot 0.4 = 0.27999999999999997$$",
    "a training that goes on": "$w = 0.5$, $x = 2$\n$$y = w x = 0.5 \\cdot 2 = 1$$\n$w = 0.45$\n"
    "$$y = w x = 0.45 \\cdot 2 = 0.9$$\n$w = 0.4$\n$$y = w x = 0.8$$",
    "operands that moved": "$w = 0.5$, $x = 2$\n$$y = w x = 0.5 \\cdot 2 = 1$$\n"
    "$$y = w x = 0.45 \\cdot 2 = 0.9$$",
    "repeated with fewer digits": "$h = 0.6035$\nso $h = 0.604$",
    "prose": "It costs $5 or $6, and $n$ is large; $a \\approx 3$, $p < 0.05$.",
}


@pytest.mark.parametrize("text", QUIET.values(), ids=QUIET.keys())
def test_better_silent_than_false(text: str) -> None:
    policy = Policy() if "2799" in text else FOUR
    assert [each for each in off(text, policy) if each[0] != "unread"] == []


@pytest.mark.parametrize(
    ("text", "digits", "decimals"),
    [
        (CHAIN, 4, None),
        ("\n".join(f"$$a_{{{k}}} = {k}/7 = {k / 7:.3f}$$" for k in range(2, 60)), None, 3),
        ("$$a = 1/8 = 0.125$$", None, None),
    ],
)
def test_the_rule_for_digits_is_found(text: str, digits: int | None, decimals: int | None) -> None:
    policy = found_policy(read(text))
    assert (policy.digits, policy.decimals) == (digits, decimals)


def exact_text(chained: bool) -> str:
    """Ten steps y = 0.7 x + 0.1 that go on with rounded numbers, or with unrounded ones."""
    lines, x, shown = ["$x_{0} = 0.3$"], 0.3, "0.3"
    for k in range(1, 40):
        y = 0.97 * (float(shown) if chained else x) + 0.01
        text = f"{y:.3g}"
        lines.append(
            f"$$x_{{{k}}} = 0.97 x_{{{k - 1}}} + 0.01 = 0.97 \\cdot {shown} + 0.01 = {text}$$"
        )
        x, shown = y, text
    return "\n".join(lines)


@pytest.mark.parametrize("chained", [True, False])
def test_whether_rounded_numbers_are_gone_on_with_is_found(chained: bool) -> None:
    text = exact_text(chained)
    assert found_policy(read(text)).chained == chained
    assert off(text, None) == []


def page(name: str, language: str) -> str:
    spec = parse_spec(scaffold(name, network=False), "row.yaml", "row")
    return derive.make(derive.build(spec)).texts[language]


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("name", ["dense", "gru", "layer_norm", "causal_attention", "hinge"])
def test_our_own_pages_are_read_and_right(name: str, language: str) -> None:
    assert off(page(name, language), None) == []


LARGE = """
parameters: {w: [523.7, -38.2]}
inputs: {x: [117.3, 21.9]}
model:
  - z[i] = w[i]*x[i]
  - E = sum(i, (z[i] - 7)**2)/2
training: {learning_rate: 0.00001}
numbers: {significant_digits: 3}
languages: [en]
"""


def test_zeros_at_the_end_of_a_whole_number_are_digits_as_the_other_numbers_tell() -> None:
    text = derive.make(derive.build(parse_spec(LARGE, "large.yaml", "large"))).texts["en"]
    assert "= 61400\n" in text
    assert off(text, None) == []
    assert len(off(text.replace("= 61400\n", "= 61500\n"), None)) > 0


RESULT = re.compile(r"= (-?\d+\.\d+)(?=\s*(?:\n|\\\\|$))")


@pytest.mark.slow
def test_a_digit_that_is_changed_on_a_page_is_found_there() -> None:
    source = random.Random(12)
    missed = []
    for name in ("dense", "gru", "layer_norm"):
        text = page(name, "en")
        for spot in source.choices(list(RESULT.finditer(text)), k=12):
            place = source.choice([k for k, c in enumerate(spot[1]) if c.isdigit()])
            digit = source.choice([d for d in "0123456789" if d != spot[1][place]])
            start = spot.start(1) + place
            found = remarks(text[:start] + digit + text[start + 1 :], None)
            line = text.count("\n", 0, start) + 1
            near = [r for r in found if abs(r.item.where.line - line) <= 6]
            if not any(r.verdict in (Verdict.WRONG, Verdict.DIGITS) for r in near):
                missed.append((name, line, spot[1]))
    assert len(missed) <= 2, missed


MISSTATED = r"""
$$ b = -0.01904919 $$
$$ c = a + b = 0.055399425 + -0.019049119 = 0.036350306 $$
"""


def test_a_given_number_is_wrong_that_the_text_goes_on_with_otherwise() -> None:
    (fault,) = checked("net.md", MISSTATED).own
    assert (fault.name, fault.printed, fault.expected) == ("b", "-0.01904919", "-0.019049119")
    assert fault.reason == "line 3 goes on with -0.019049119"


@pytest.mark.parametrize(
    ("printed", "right", "same"),
    [
        ("0.01904919", "0.019049119", True),
        ("0.019049191", "0.019049119", True),
        ("0.019049219", "0.019049119", True),
        ("0.0190491119", "0.019049119", True),
        ("0.019049", "0.019049119", False),
        ("0.25", "0.24", False),
        ("0.019049119", "0.029049229", False),
        ("0.019049119", "0.019049119", False),
    ],
)
def test_a_number_that_is_another_but_for_one_digit(printed: str, right: str, same: bool) -> None:
    assert miswritten(printed, right) is same


OMITTED = [
    (r"d = a b c = 0.7414 \cdot 0.1868 \cdot 0.5933 = 0.4399", "the factor b is missing"),
    (r"d = a b c = 0.7414 \cdot 0.1868 \cdot 0.5933 = 0.1643", "it is 2 times the value"),
    (r"d = a b c = 0.7414 \cdot 0.1868 \cdot 0.5933 = 0.04875",
     "the factor c is taken twice"),
    (r"s = a b + c = 0.7414 \cdot 0.1868 + 0.5933 = 0.5933", "the term a*b is missing"),
    (r"s = a b - c = 0.7414 \cdot 0.1868 - 0.5933 = 0.7318", "the sign of -c is the other one"),
    (r"d = a b c = 0.7414 \cdot 0.1868 \cdot 0.5933 = 0.9182", ""),  # of nothing that is known
    (r"d = a b c = 0.7414 \cdot 0.1868 \cdot 0.5933 = 0.44", ""),  # too few digits to tell
]  # fmt: skip


@pytest.mark.parametrize(("line", "reason"), OMITTED)
def test_what_a_line_leaves_out_is_said(line: str, reason: str) -> None:
    found = check(read(f"$$ {line} $$"), Policy(digits=4, chained=True))
    wrong = [remark for remark in found if remark.verdict is Verdict.WRONG]
    assert [remark.reason for remark in wrong] == [reason]


NETWORK = r"""
With $x_1 = 0.54$, $x_2 = 0.91$, $w_1 = 0.59$, $w_2 = 0.49$, $w_5 = 0.91$, $b_1 = 0.77$, $t = 0.85$:
$$ n_1 = w_1 x_1 + w_2 x_2 + b_1 = 1.5345 $$
$$ h_1 = \frac{1}{1 + e^{-n_1}} = 0.822664 $$
$$ m = w_5 h_1 = 0.748624 $$
$$ y = \frac{1}{1 + e^{-m}} = 0.678879 $$
$$ E = \frac{1}{2}(t - y)^2 = 0.014641 $$
$$ \frac{\partial E}{\partial w_5} = (y - t)\, y (1-y)\, h_1 = -0.030689 $$
$$ \frac{\partial E}{\partial w_1} = (y - t)\, y (1-y)\, w_5 h_1 (1 - h_1) x_1 = -0.002674 $$
$$ w_5^{+} = w_5 - 0.5 \frac{\partial E}{\partial w_5} = 0.925345 $$
"""
ALONE = [  # a wrong print, while all that comes after it has been worked out from the right number
    ("m = w_5 h_1 = 0.748624", "m = w_5 h_1 = 1.518624", "m", "0.748624", ""),
    ("-0.030689", "0.030689", "∂E/∂w_5", "-0.030689", "the sign is the other one"),
    ("-0.030689", "-0.140775", "∂E/∂w_5", "-0.030689", "the factors y and 1 - y are missing"),
    ("0.014641", "0.029282", "E", "0.014641", "it is 2 times the value"),
    ("-0.002674", "-0.004507", "∂E/∂w_1", "-0.002674", "it is right with x_2 in place of x_1"),
    ("0.925345", "0.940689", "w_5+", "0.925345", "the factor 0.5 is missing"),
    ("-0.030689", "-0.037305", "∂E/∂w_5", "-0.030689", "the factor h_1 is missing"),
]


def test_the_network_is_right() -> None:
    assert not checked("net.md", NETWORK).own


@pytest.mark.parametrize(("right", "wrong", "name", "expected", "reason"), ALONE)
def test_a_print_that_is_wrong_alone_is_the_one_error(
    right: str, wrong: str, name: str, expected: str, reason: str
) -> None:
    found = checked("net.md", NETWORK.replace(right, wrong))
    (fault,) = found.own
    assert (fault.name, fault.reason) == (name, reason)
    assert wrong.endswith(fault.printed)
    assert fault.expected is not None
    assert abs(float(fault.expected) - float(expected)) <= 1e-6
    assert not found.consequences(fault)


WORKED = {
    r"\frac{-2.226}{-2.226}": r"\frac{M_1}{C_1}",
    r"\ln(\left\lvert 1.2\right\rvert) + \ln(\left\lvert -2.226\right\rvert)": (
        r"\ln(\left\lvert M_1\right\rvert) + \ln(\left\lvert C_1\right\rvert)"
    ),
    r"3 - (-2.226)": r"M_1 - C_1",
    r"-(-2.226)": r"-C_1",
}


@pytest.mark.parametrize("worked", WORKED)
def test_a_minus_that_the_formula_has_not_belongs_to_the_number(worked: str) -> None:
    pairs = dict(aligned(WORKED[worked], worked) or ())
    assert pairs["C_1"].text == "-2.226"
