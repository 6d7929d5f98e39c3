"""What does not fit in what a document says of its entries, and what is to blame for it."""

from __future__ import annotations

import pytest
import sympy

import derive
from derive import InputError
from derive.proofread.digits import found_policy
from derive.proofread.entries.consistency import inconsistencies
from derive.proofread.entries.moved import FUNCTIONS, STEP, Kink
from derive.proofread.entries.places import Entry, Index, Slope, entry_of
from derive.proofread.entries.ranges import declared
from derive.proofread.policy import Policy
from derive.proofread.reader import read
from derive.proofread.report import checked
from derive.spec import parse_spec
from tests.proofread.changes import page
from tests.random_library import random_network
from tests.sampled import sampled

PAGE = r"""
Here $0 \le u < 3,\ 0 \le r < 2$.
$$x = \begin{pmatrix} 0.5 \\ -1.2 \\ 0.8 \end{pmatrix}$$
$$k = \begin{pmatrix} 0.4 \\ 0.7 \end{pmatrix}$$
$$g = \begin{pmatrix} 0.3 \\ -0.6 \\ 0.9 \end{pmatrix}$$
$$y_{u} = \sum_{r} k_{r}\,x_{u+r}$$
$$y = \begin{pmatrix} -0.64 \\ 0.08 \\ 0.32 \end{pmatrix}$$
$$z_{u} = y_{u}^{2} + y_{u}$$
$$z = \begin{pmatrix} -0.2304 \\ 0.0864 \\ 0.4224 \end{pmatrix}$$
$$E = \sum_{u} g_{u}\,z_{u}$$
$$\frac{\partial z_{u}}{\partial y_{a}} = \delta_{u,a}\,(2\,y_{u} + 1)$$
$$\frac{\partial y_{u}}{\partial k_{a}} = x_{a+u}$$
$$\frac{\partial E}{\partial y_{u}} = g_{u}\,(2\,y_{u} + 1)$$
$$\frac{\partial E}{\partial y} = \begin{pmatrix} -0.084 \\ -0.696 \\ 1.476 \end{pmatrix}$$
$$\frac{\partial E}{\partial k_{a}} = \sum_{u} \frac{\partial E}{\partial y_{u}}\,x_{a+u}$$
$$\frac{\partial E}{\partial k} = \begin{pmatrix} 1.974 \\ -0.456 \end{pmatrix}$$
"""
DIFFER = "its sides are not the same"
FAULTS = [
    ("", "", []),
    ("0.0864", "0.0964", ["by its formula, z_1 would be 0.0864"]),
    ("1.974", "1.874", ["by its formula, ∂E/∂k_0 would be 1.974"]),
    (r"(2\,y_{u} + 1)$$", r"(2\,y_{u} - 1)$$", [DIFFER]),
    ("= x_{a+u}", "= x_{a-u}", [DIFFER]),
    # A given number that is another one but for a slip, and a definition, are blamed for the rest.
    (r"\\ 0.8 \end", r"\\ -0.8 \end", ["all that is worked out with it is that of 0.8"]),
    ("y_{u}^{2} + y", "y_{u}^{2} - y", ["the rest of the document does not fit to this formula"]),
]


def test_the_page_is_right() -> None:
    assert [remark.reason for remark in checked("page.tex", PAGE).own] == []


@pytest.mark.parametrize(("old", "new", "words"), FAULTS)
def test_what_does_not_fit_is_found(old: str, new: str, words: list[str]) -> None:
    assert old in PAGE
    text = PAGE.replace(old, new, 1) if old else PAGE
    found = inconsistencies(read(text), Policy(digits=4, chained=False), declared(text)).words
    assert list(found.values()) == words


def test_a_document_that_fits_nowhere_is_not_judged() -> None:
    text = PAGE.replace("x_{u+r}", "x_{u-r}").replace("y_{u}^{2} + y", "y_{u}^{3} - y")
    assert inconsistencies(read(text), Policy(digits=4, chained=False), declared(text)).words == {}


RANGES = [
    (r"$0 \le t < 3,\ 1 \le k \le 2$", {"t": range(3), "k": range(1, 3)}),
    (r"$i = 1, \dots, 4$", {"i": range(1, 5)}),
    (r"$0 \le t < 3$ and $0 \le t < 2$", {}),
    (r"$0 \le t < n$ and $0.5 < x < 1$", {}),
]


@pytest.mark.parametrize(("text", "ranges"), RANGES)
def test_what_letters_run_over_is_read(text: str, ranges: dict[str, range]) -> None:
    assert declared(text) == ranges


def test_names_are_taken_apart() -> None:
    two_u = Index(0, (("u", 2), ("r", 1)))
    assert entry_of("x_2u+r,0") == Entry(("x", ""), (two_u, Index(0)))
    assert entry_of("∂E/∂w_1") == Entry(("∂E/∂w", ""), (Index(1),))
    slope = entry_of("∂y_u/∂x_a")
    assert isinstance(slope, Slope) and slope.by == Entry(("x", ""), (Index(0, (("a", 1),)),))
    word = entry_of("W_token_n,d")
    assert isinstance(word, Entry) and word.stem == ("W", "") and word.indices[0].entry
    assert entry_of("net_h1") == Entry(("net_h1", ""), ())


POINTS = {sympy.log: (0.7,), sympy.Pow: (1.7, 2.5), sympy.Max: (0.3, 0.2), sympy.Min: (0.3, 0.2)}


@pytest.mark.parametrize("function", FUNCTIONS, ids=str)
def test_a_moved_number_goes_on_as_fast_as_differences_tell(function: object) -> None:
    run, point = FUNCTIONS[function], POINTS.get(function, (0.3,))
    for k, here in enumerate(point):

        def at(value: complex, k: int = k) -> complex:
            return run(*point[:k], value, *point[k + 1 :])

        slope = (at(here + 1e-5) - at(here - 1e-5)).real / 2e-5
        moved = at(complex(here, STEP))
        assert moved.real == pytest.approx(at(here).real)
        assert moved.imag / STEP == pytest.approx(slope, abs=1e-8)


def test_a_kink_has_no_derivative() -> None:
    for function in (sympy.Abs, sympy.Heaviside, sympy.sign, sympy.floor):
        with pytest.raises(Kink):
            FUNCTIONS[function](complex(0, STEP))
    with pytest.raises(Kink):
        FUNCTIONS[sympy.Max](complex(1, STEP), 1.0)


RECURRENCE = r"""
It begins with $y_{-1} = s$. $$s = 2$$
$$x = \begin{pmatrix} 0.5 \\ -1.2 \\ 0.8 \end{pmatrix}$$
$$y_{t} = x_{t} + 0.5\,y_{t-1}$$
$$y = \begin{pmatrix} 1.5 \\ -0.45 \\ 0.575 \end{pmatrix}$$
$$z_{t} = 2\,y_{t}$$
$$z = \begin{pmatrix} 3 \\ -0.9 \\ 1.15 \end{pmatrix}$$
"""


def test_a_recurrence_begins_as_the_text_says() -> None:
    policy = Policy(digits=4, chained=False)
    assert inconsistencies(read(RECURRENCE), policy, {}).words == {}
    wrong = RECURRENCE.replace("-0.45", "-0.43")
    words = list(inconsistencies(read(wrong), policy, {}).words.values())
    assert words == ["by its formula, y_1 would be -0.45"]
    number = RECURRENCE.replace("= s$", "= 2$")
    assert inconsistencies(read(number), policy, {}).words == {}
    unsaid = RECURRENCE.replace("= s$", "= r$").replace("-0.45", "-0.43")
    assert inconsistencies(read(unsaid), policy, {}).words == {}


def column(name: str, *values: float) -> str:
    entries = r" \\ ".join(f"{value:.4g}" for value in values)
    return rf"$${name} = \begin{{pmatrix}} {entries} \end{{pmatrix}}$$"


WINDOW = [
    column("x", 0.5, -1.2, 0.8),
    r"$$y_{t} = x_{t} + 2\,x_{t+1}$$ $$z_{t} = 3\,x_{t}$$",
    column("z", 1.5, -3.6, 2.4),
]


@pytest.mark.parametrize(
    "right", [r"x_{t} \,y_{t}", r"\exp(x_{t}\,(y_{t} + 2\,\tanh(x_{t}\,y_{t})))"]
)
def test_what_is_defined_by_itself_has_no_value(right: str) -> None:
    text = RECURRENCE.replace(r"x_{t} + 0.5\,y_{t-1}", right)
    assert text != RECURRENCE
    assert inconsistencies(read(text), Policy(digits=4, chained=False), {}).words == {}


def test_a_start_that_is_its_own_has_no_value() -> None:
    text = RECURRENCE.replace("y_{-1} = s", r"y_{-1} = s\\,y_{-1}")
    assert text != RECURRENCE
    assert inconsistencies(read(text), Policy(digits=4, chained=False), {}).words == {}


def test_an_entry_beside_its_table_is_no_trouble() -> None:
    text = RECURRENCE + "\n" + r"$$y_{5} = 0.3 + 0.2 = 0.7$$"
    assert inconsistencies(read(text), Policy(digits=4, chained=False), {}).words == {}


def test_zeros_around_a_table_are_taken_only_if_they_are_meant() -> None:
    policy = Policy(digits=4, chained=False)
    for last, found in ((1.8, 0), (0.8, 0)):
        text = "\n".join([*WINDOW, column("y", -1.9, 0.4, last)])
        assert len(inconsistencies(read(text), policy, {}).words) == found
    more = "\n".join([*WINDOW, r"$$v_{t} = x_{t} + x_{t+1}$$", column("v", -0.7, -0.4, 0.8)])
    text = "\n".join([more, column("y", -1.9, 0.4, 1.8)])
    assert len(inconsistencies(read(text), policy, {}).words) == 1


def test_of_what_has_no_formula_no_derivative_is_told() -> None:
    start, formula, end = PAGE.partition(r"$$z_{u} = y_{u}^{2} + y_{u}$$")
    assert formula
    text = start + end
    assert inconsistencies(read(text), Policy(digits=4, chained=False), declared(text)).words == {}


@pytest.mark.parametrize(("constant", "wrong"), [("1.67", 0), ("1.7", 1)])
def test_a_given_number_may_be_a_rounded_one(constant: str, wrong: int) -> None:
    """One of three digits may be; then what is worked out with it is off a little, and only so."""
    given = (0.5, -1.2, 0.8, 0.9, 0.2, 0.3)
    made = [float(constant) * value for value in given]
    made[0] = 1.6733 * given[0]
    text = "\n".join(
        [column("x", *given), f"$$c = {constant}$$", r"$$y_{i} = c\,x_{i}$$", column("y", *made)]
    )
    assert len(inconsistencies(read(text), Policy(digits=4, chained=False), {}).words) == wrong


LOCAL = "\n".join(
    [
        column("x", 0.5, -1.2, 0.8),
        column("g", 0.3, -0.6, 0.9),
        r"$$y_{n} = x_{n}^{2} + x_{n}$$",
        r"$$\frac{\partial y_{n'}}{\partial x_{n}} = \delta_{n',n}\,(2\,x_{n'} + 1)$$",
        column("y", 0.75, 0.24, 1.44),
        r"$$d_{n} = g_{n}\,(1 - y_{n}^{2})$$",
        r"$$d = g \odot (1 - y \odot y)$$",
        r"$$v = x - g$$",
        r"$$v_{n} = x_{n} - g_{n}$$",
    ]
)
SLIPS_OF_FORMULAS = [
    ("", ""),
    (r"(2\,x_{n'} + 1)", r"(2\,x_{n'} - 1)"),
    (r"(1 - y \odot y)", r"(1 + y \odot y)"),
    ("$v = x - g", "$v = x + g"),
]


@pytest.mark.parametrize(("old", "new"), SLIPS_OF_FORMULAS)
def test_primed_letters_and_whole_tables_are_read(old: str, new: str) -> None:
    text = LOCAL.replace(old, new, 1) if old else LOCAL
    assert bool(old) == (text != LOCAL)
    found = inconsistencies(read(text), Policy(digits=4, chained=False), {}).words
    assert list(found.values()) == ([DIFFER] if old else [])


def test_a_product_of_tables_without_its_sign_is_not_entry_by_entry() -> None:
    text = LOCAL.replace("$v = x - g", "$v = x g")
    assert inconsistencies(read(text), Policy(digits=4, chained=False), {}).words == {}


def test_a_name_with_a_prime_that_is_defined_is_no_letter() -> None:
    start = LOCAL[: LOCAL.index("$$d_{n}")].replace("n'", "m")
    text = start + r"$$x'_{n} = x_{n} - 0.1$$ $$u_{n} = x'_{n} + 1$$ $$u_{n} = x_{n} + 0.9$$"
    assert inconsistencies(read(text), Policy(digits=4, chained=False), {}).words == {}


def test_a_prime_that_may_be_of_a_name_or_of_a_letter_tells_nothing() -> None:
    text = LOCAL + "\n" + r"$$x'_{n} = x_{n} - 0.1$$"
    assert inconsistencies(read(text), Policy(digits=4, chained=False), {}).words == {}


def test_one_print_of_many_digits_tells_what_was_given() -> None:
    """Unless it is a slip itself: then it may be that as well."""
    exp, tanh = (1.649, 3.32, 2.226), (0.4621, 0.8337, 0.664)
    for function, right, given, printed, blamed in (
        ("exp", exp, -0.4, 1.492, "x_3"),
        ("exp", exp, 0.4, 1.482, "y_3"),
        ("tanh", tanh, -0.4, 0.3799, "y_3"),
    ):
        lines = [column("x", 0.5, 1.2, 0.8, given), rf"$$y_{{i}} = \{function}(x_{{i}})$$"]
        (own,) = checked("page.tex", "\n".join([*lines, column("y", *right, printed)])).own
        assert own.name == blamed


CIRCLE = r"$$a = 0.5$$ $$y = \frac{a}{\sqrt{\pi}} = \frac{0.5}{\sqrt{\pi}} = 0.2821$$"
POLICY = r"$$L = 2 \pi = 0.6024$$ $$\pi = 0.3012$$"
IN_NUMBERS = "\n".join(
    [
        column("a", 1, 2, 2.5, 4),
        r"$$x_{n} = \frac{a_{n}}{3}$$",
        column("x", 0.3333, 0.6667, 0.8333, 1.333),
        r"$$w = \frac{x_{0}}{\sqrt{\pi}} = \frac{0.3333}{\sqrt{\pi}} = 0.1881$$",
    ]
)


def test_the_number_of_the_circle_is_one_where_a_text_has_its_root() -> None:
    assert checked("page.tex", CIRCLE).own == []
    (own,) = checked("page.tex", CIRCLE.replace("0.2821", "0.2841")).own
    assert own.expected == "0.2821"
    assert checked("page.tex", POLICY).own == []
    assert checked("page.tex", IN_NUMBERS).own == []


LABELLED = (
    "$v_1 = 0.5$, $v_2 = 0.6$, $h_1 = 0.5769$, $h_2 = 0.6388$, $b_1 = 0.2$, $b_2 = 0.3$, "
    "$b_o = 0.1$"
    "\n\n$$z_1 = b_1 + 0.11 = 0.31$$\n\n$$z_2 = b_2 + 0.27 = 0.57$$\n\n"
    "$$z_o = v_1 h_1 + v_2 h_2 + b_o = 0.5 \\cdot 0.5769 + 0.6 \\cdot 0.6388 + 0.1$$\n\n"
    "$$z_o = 0.7717$$\n"
)


def test_a_letter_that_has_a_number_of_its_own_runs_over_nothing() -> None:
    items = read(LABELLED)
    assert not inconsistencies(items, Policy(), {}).words
    general = LABELLED.replace("$b_o = 0.1$", "$b_o = 0$").replace("$$z_o = 0.7717$$", "")
    assert inconsistencies(read(general), Policy(), {}).words


def test_rounding_turns_no_condition_round() -> None:
    text = page("hard_tanh", "en")
    old, new = r"-1)]\cdot [-0.9", r"-1)]+ [-0.9"
    assert text.count(old) == 1 and checked("page.tex", text).own == []
    (own,) = checked("page.tex", text.replace(old, new)).own
    assert own.expected == "1.5"


def test_a_product_with_nothing_has_a_value_without_its_names() -> None:
    text = r"$$c = 0.5 \cdot 0.5 = 0.25$$ $$b = 0.3 - 0.3 = 0$$ $$a = 0 \cdot q = 0$$"
    assert checked("page.tex", text).own == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", sampled(range(30), 5))
def test_nothing_is_found_on_pages_of_random_networks(seed: int) -> None:
    try:
        spec = parse_spec(random_network(seed), "random.yaml", "random")
        text = derive.make(derive.build(spec)).texts["en"]
    except InputError:
        return
    items = read(text)
    assert inconsistencies(items, found_policy(items), declared(text)).words == {}


def test_numbers_beyond_doubles_are_judged_in_words() -> None:
    text = (
        r"$$x = \begin{pmatrix} 2 \\ 3 \end{pmatrix}$$ $$y_{i} = 3 \cdot 10^{400}\, x_{i}$$ "
        r"$$y = \begin{pmatrix} 6 \cdot 10^{400} \\ 8 \cdot 10^{400} \end{pmatrix}$$"
    )
    assert [finding.expected for finding in checked("page.tex", text).own] != []


BETWEEN = """
inputs: {x: [1, 0.5, -1]}
parameters: {w: 0.5, u: 0.8, v: 2}
model:
  - h[t] = tanh(w*x[t] + u*h[t-1])
  - m = sum(t, h[t]**2)
loss: E = v*m**2
"""


def test_what_stands_between_may_be_differentiated_by_its_own_formula() -> None:
    """∂m/∂h_t as it stands in the equation of m, though h_t acts on m through later steps, too."""
    text = derive.make(derive.build(parse_spec(BETWEEN, "my.yaml", "my")), ["en"]).texts["en"]
    local = "\\frac{\\partial m}{\\partial h_{t}} = 2\\,h_{t}"
    assert [remark.reason for remark in checked("page.tex", text).own] == []
    assert local in text
    wrong = checked("page.tex", text.replace(local, local.replace("2", "3"))).own
    assert [remark.reason for remark in wrong] != []


GIVEN = "\n".join(
    [
        r"$$a = \begin{pmatrix} 0.52 \\ -1.21 \\ 0.83 \end{pmatrix}$$",
        r"$$u_{n} = a_{n}^{2}$$",
        r"$$u = \begin{pmatrix} 0.2704 \\ 1.464 \\ 0.6889 \end{pmatrix}$$",
        r"$$v_{n} = u_{n}\,u_{n}$$",
        r"$$v = \begin{pmatrix} 0.07312 \\ 2.143 \\ 0.4746 \end{pmatrix}$$",
        r"$$w_{n} = a_{n}$$",
        r"$$w = \begin{pmatrix} 0.52 \\ -1.21 \\ 0.83 \end{pmatrix}$$",
    ]
)


def test_a_given_number_is_blamed_where_rounded_ones_were_gone_on_with() -> None:
    assert checked("page.tex", GIVEN).own == []
    (own,) = checked("page.tex", GIVEN.replace("-1.21", "-1.71", 1)).own
    assert (own.name, own.printed, own.instead) == ("a_1", "-1.71", None)


def test_of_two_numbers_that_contradict_each_other_both_are_named() -> None:
    found = checked("page.tex", GIVEN.replace("-1.21", "1.21", 1))
    (own,) = found.own
    assert own.name == "w_1" and own.instead is not None and found.line(own.instead) == 1
    assert own.reason == "by its formula, w_1 would be 1.21, or a_1 in line 1 should be -1.21"


SUM = (
    "\n".join(
        [
            column("y", 0.4, -0.6, 0.9, 0.3, 0.2),
            r"$$z_{n} = 2\,y_{n}$$",
            column("z", 0.8, -1.2, 1.8, 0.6, 0.4),
            r"$$d_{n} = -y_{n}$$",
            r"$$E = y_{0} + y_{1} + \cdots + y_{4} = 0.4 + (-0.6) + \cdots + 0.2 = 1.2$$",
            r"$$S = d_{0} + d_{1} + \cdots + d_{4} = -0.4 + 0.6 + \cdots + (-0.2) = -1.2$$",
        ]
    )
    .replace("y = ", "y_{n} = y = ")
    .replace("y_{n} = ", "", 1)
)


@pytest.mark.parametrize(
    ("old", "new"), [("(-0.6)", "(-0.7)"), ("y_{4} =", "y_{3} ="), ("-0.4 + 0.6", "-0.4 + 0.5")]
)
def test_sums_that_are_not_written_out_are_held_against_their_terms(old: str, new: str) -> None:
    assert checked("page.tex", SUM).own == []
    assert SUM.count(old) == 1
    (own,) = checked("page.tex", SUM.replace(old, new)).own
    assert own.verdict == "wrong"


SLOPES = (
    r"$$g_{n,m} = \frac{1}{6}$$"
    r"$$g = \begin{bmatrix} 0.1667 & 0.1667 & 0.1667 \\ 0.1667 & 0.1667 & 0.1667 \end{bmatrix}$$"
)


def test_a_table_of_one_number_is_held_against_it() -> None:
    assert checked("page.tex", SLOPES).own == []
    (own,) = checked("page.tex", SLOPES[::-1].replace("7661.0", "7061.0", 1)[::-1]).own
    assert own.name == "g_1,2"
    assert checked("page.tex", SLOPES.replace(r"\frac{1}{6}", "0")).own == []  # at the beginning
