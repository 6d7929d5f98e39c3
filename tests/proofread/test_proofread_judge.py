"""The judge: right pages pass, and each kind of slip is caught."""

from fractions import Fraction

import pytest

from derive.proofread import Kind, Policy, Rounding, judge, read
from derive.proofread.spread import Ledger, spread

FOUR = Policy(digits=4)
GIVENS = {
    "i1": "0.05", "i2": "0.1", "w1": "0.15", "w2": "0.2", "w5": "0.35", "w6": "0.4",
    "target_o1": "0.01", "alpha": "0.5", "out_o1": "0.5943", "out_h1": "0.5069",
}  # fmt: skip


def _kinds(text: str, policy: Policy = FOUR) -> list[Kind]:
    return [finding.kind for finding in judge(read(text), policy, GIVENS)]


NET = r"$net_{h1} = i1\cdot w1 + i2\cdot w2 = 0.05\cdot 0.15 + 0.1\cdot 0.2 = 0.0275$"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (NET, Kind.AGREES),
        (r"$out_{h1} = \frac{1}{1+e^{-0.0275}} = 0.5069$", Kind.AGREES),
        (r"$g = 0.0099\times 0.25\times 0.1 = 0.0002475$", Kind.AGREES),
        (r"$g = 0.0099\times 0.25\times 0.1 = 2.475\times 10^{-4}$", Kind.AGREES),
        (r"$n = 0.05\cdot 0.1499 + 0.1\cdot 0.1999 = 0.02749$", Kind.AGREES),
        (r"$\frac{\partial net_{o1}}{\partial w5} = out_{h1} = 0.5069$", Kind.AGREES),
        (r"$d = out_{o1}(1 - out_{o1}) = 0.5943(1 - 0.5943) = 0.2411$", Kind.AGREES),
        (r"$E = E_{o1} + E_{o2} = 0.25\cdot 2 = 0.5$", Kind.AGREES),
        (r"$0.5\cdot 0.5 = 0.25$", Kind.AGREES),
        (r"$x = i1 + i2 = 0.05 + w2 - 0.1$".replace("w2 - 0.1", "0.1"), Kind.AGREES),
        (r"$y = \frac{1}{1+e^{-x}}$", Kind.SYMBOLIC),
        (r"$E = E_{o1} + E_{o2} = 0.5$", Kind.SYMBOLIC),
        (r"$s = \sum_k y_k = 0.5$", Kind.SYMBOLIC),
        ("$b = 0.35$", Kind.GIVEN),
        ("$w5 = 0.35$", Kind.RESTATED),
        ("$w5 = 0.36$", Kind.DISAGREES),
        (r"\[ x > 0 \]", Kind.UNREAD),
        # slips
        (NET.replace("0.0275", "0.0276"), Kind.DISAGREES),
        (NET.replace("0.0275", "-0.0275"), Kind.DISAGREES),
        (NET.replace(r"0.1\cdot 0.2", r"0.1\cdot 0.25"), Kind.DISAGREES),
        (NET.replace(r" + 0.1\cdot 0.2", ""), Kind.DISAGREES),
        (NET.replace(r"i2\cdot w2", r"i2\cdot w1"), Kind.DISAGREES),
        (NET.replace(r" + i2\cdot w2", ""), Kind.DISAGREES),
        (r"$g = 0.5843\times 0.2411\times 0.5069 = 0.0714$", Kind.DISAGREES),
        (r"$g = 0.5843\times 0.2411\times 0.5069 = 0.071409$", Kind.DISAGREES),
        (r"$x = i1 + i2 = 0.05 + 0.2$", Kind.DISAGREES),
        ("$x = 1/0 = 1$", Kind.DISAGREES),
        (r"$x = \ln(0) = 1$", Kind.DISAGREES),
        (r"$x = \sqrt{-1} = 1$", Kind.DISAGREES),
        (r"$x = \ln(0.5 - 1) = 1$", Kind.DISAGREES),
        (r"$x = \exp(\exp(\exp(1000))) = 1$", Kind.DISAGREES),
        (r"$x = w5^{-1000000000} = 1$", Kind.DISAGREES),
        (r"$x = 1/(w5 - 0.35) = 1$", Kind.DISAGREES),
    ],
)
def test_one_claim(text: str, kind: Kind) -> None:
    assert _kinds(text) == [kind]


@pytest.mark.parametrize(
    ("policy", "text", "kind"),
    [
        (Policy(digits=4, rounding=Rounding.HALF_EVEN), "$x = 0.027485 + 0 = 0.02748$", "agrees"),
        (Policy(digits=4, rounding=Rounding.HALF_EVEN), "$x = 0.027485 + 0 = 0.02749$",
         "disagrees"),
        (Policy(decimals=3), r"$x = \sqrt{0.5} = 0.707$", "agrees"),
        (Policy(decimals=3), r"$x = \sqrt{0.5} = 0.7071$", "disagrees"),
        (Policy(), r"$x = \sqrt{0.5} = 0.7071$", "agrees"),
        (Policy(), r"$x = \sqrt{0.5} = 0.7072$", "disagrees"),
        (Policy(digits=4, tolerance_units=1), r"$x = \sqrt{0.5} = 0.7072$", "agrees"),
        (Policy(digits=4, tolerance_units=1), r"$x = \sqrt{0.5} = 0.7073$", "disagrees"),
        (Policy(), "$x = -0.5 - 0.05 = -0.6$", "agrees"),
        (Policy(digits=3), "$x = 0.9996 + 0 = 1$", "agrees"),
    ],
)  # fmt: skip
def test_policy(policy: Policy, text: str, kind: str) -> None:
    assert _kinds(text, policy) == [kind]


UNCHAINED = Policy(digits=3, chained=False)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        # -0.952 x 0.249 x -0.0904 is 0.02143; the unrounded product is 0.02147.
        (r"$g = -0.952\times 0.249\times (-0.0904) = 0.0215$", Kind.AGREES),
        (r"$g = -0.952\times 0.249\times (-0.0904) = 0.0219$", Kind.DISAGREES),
        (r"$g = -0.952\times 0.249\times (-0.0904) = -0.0215$", Kind.DISAGREES),
        (r"$w = 0.35 - 0.5\cdot 0.0822 = 0.309$", Kind.AGREES),
        # 0.5 is a given, hence exact: the error is that of 0.0822 alone.
        (r"$w = 0.35 - 0.5\cdot 0.0822 = 0.305$", Kind.DISAGREES),
    ],
)
def test_unchained(text: str, kind: Kind) -> None:
    assert _kinds(text, UNCHAINED) == [kind]


@pytest.mark.parametrize(("printed", "kind"), [("0.0215", "agrees"), ("0.0214", "disagrees")])
def test_unrounded_value_is_judged(printed: str, kind: str) -> None:
    policy = Policy(digits=3, chained=False, exact={"g": "0.0214695352658"})
    text = rf"$g = -0.952\times 0.249\times (-0.0904) = {printed}$"
    assert _kinds(text, policy) == [kind]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (r"$x = 0.12344 + 0 = -0.1234$", "sign"),
        ("$x = 0.12346 + 0 = 0.1234$", "truncated"),
        ("$x = 0.12345 + 0 = 0.1234$", "even"),
        ("$x = 0.12374 + 0 = 0.124$", "1 digit fewer"),
        ("$x = 0.12344 + 0 = 0.12344$", "one digit more"),
        (r"$x = 0.952\times 0.249 = 0.2371$", "rounded operands"),
        ("$x = 0.5 + q = 0.7$", "no value for q"),
    ],
)
def test_message_explains(text: str, words: str) -> None:
    (finding,) = judge(read(text), FOUR)
    assert words in finding.message


def test_printed_value_is_carried_on_even_if_wrong() -> None:
    text = r"$a = 0.5\cdot 0.5 = 0.3$ $b = 2\cdot a = 0.6$ $c = 2\cdot a = 0.5$"
    assert _kinds(text) == [Kind.DISAGREES, Kind.AGREES, Kind.DISAGREES]


def test_expected_is_stated() -> None:
    (finding,) = judge(read(r"$g = 0.5843\times 0.2411\times 0.5069 = 0.0714$"), FOUR)
    assert finding.expected == "0.07141"


def test_nothing_to_judge_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing"):
        judge([], FOUR)


@pytest.mark.parametrize(
    "arguments",
    [{"digits": 4, "decimals": 3}, {"digits": 0}, {"tolerance_units": -1}, {"exact": {"a": "1"}}],
)
def test_policy_refuses(arguments: dict) -> None:  # type: ignore[type-arg]
    with pytest.raises(ValueError):
        Policy(**arguments)


OF_FOUR_DIGITS = [
    (r"3\cdot 10^{-12}", "1/2000000000000000"),
    (r"3\cdot 10^{-120}", f"1/2{'0' * 123}"),
    (r"3\cdot 10^{-1200}", f"1/2{'0' * 1203}"),
    (r"3.5\cdot 10^{420}", f"5{'0' * 416}"),
    ("3", "0"),
]


@pytest.mark.parametrize(("form", "half"), OF_FOUR_DIGITS)
def test_a_number_far_from_one_is_a_rounded_one(form: str, half: str) -> None:
    assert spread(form, Ledger(), FOUR) == Fraction(half)


ROUNDED_TO_NOTHING = [
    # |x| and sgn(x) of an x below half a unit: both are printed 0, and neither is
    (
        r"$g = -1.5\cdot \sqrt{\left\lvert 0\right\rvert}\,\operatorname{sgn}(0) = -0.001$",
        Kind.AGREES,
    ),
    (
        r"$g = -1.5\cdot \sqrt{\left\lvert 0\right\rvert}\,\operatorname{sgn}(0) = 0.001$",
        Kind.AGREES,
    ),
    (
        r"$g = -1.5\cdot \sqrt{\left\lvert 0\right\rvert}\,\operatorname{sgn}(0) = 0.003$",
        Kind.DISAGREES,
    ),
]


@pytest.mark.parametrize(("text", "kind"), ROUNDED_TO_NOTHING)
def test_what_is_rounded_to_nothing_in_several_places(text: str, kind: Kind) -> None:
    policy = Policy(decimals=6, chained=False, computed=frozenset({"x"}))
    assert _kinds(rf"So $x = 0$, and {text}.", policy)[-1] is kind


WIDE = [
    # 640000 times a number of four digits is known up to 32: the cosine may be anything
    (r"$d = \cos(640000\cdot 1.409) = 0.7$", Kind.AGREES),
    (r"$d = 2 + \cos(640000\cdot 1.409) = 1.2$", Kind.AGREES),
    (r"$d = 2 + \cos(640000\cdot 1.409) = 3.2$", Kind.DISAGREES),
    (r"$d = 2 + \cos(640000\cdot 1.409) = -1.5$", Kind.DISAGREES),
    (r"$d = 5\cdot \sin(1.41) = 4.94$", Kind.AGREES),
    (r"$d = 5\cdot \sin(1.41) = 4.91$", Kind.DISAGREES),
]


@pytest.mark.parametrize(("text", "kind"), WIDE)
def test_a_wave_of_a_large_argument(text: str, kind: Kind) -> None:
    assert _kinds(text, Policy(digits=3, chained=False)) == [kind]


@pytest.mark.parametrize(
    ("computed", "kind"), [(frozenset({"a"}), Kind.AGREES), (frozenset[str](), Kind.DISAGREES)]
)
def test_what_is_computed_is_rounded_where_it_first_stands(
    computed: frozenset[str], kind: Kind
) -> None:
    policy = Policy(digits=4, chained=False, computed=computed)
    assert _kinds(r"So $a = 3.751$, and $b = 810000\cdot a = 3039000$.", policy)[-1] is kind
