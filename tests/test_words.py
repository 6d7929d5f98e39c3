"""Errors that teach: each says what is wrong, where, and what would be right."""

from __future__ import annotations

from pathlib import Path

import pytest

from derive import InputError, Problem, build
from derive.cli import main
from derive.errors import MOST_LISTED, listed, nearest, quoted
from derive.library.aliases import OTHER_NAMES, nearest_row
from derive.library.layers import LAYERS
from derive.library.losses import loss_names
from derive.library.optimizers import OPTIMIZERS
from derive.spec import parse_spec
from derive.syntax import FUNCTIONS, OTHER_FUNCTIONS

ROWS = {*LAYERS, *loss_names(), *OPTIMIZERS}
GIVEN = "inputs: {x: [1, 2]}\nparameters: {W: [[1, 2], [3, 4]]}\n"


def made(text: str) -> Problem:
    return build(parse_spec(text, "my.yaml", "my"))


def told(text: str) -> str:
    with pytest.raises(InputError) as caught:
        made(text)
    return str(caught.value)


# --- names ----------------------------------------------------------------------------------

NAMES = [
    ("LSTM", LAYERS, "did you mean 'lstm'?"),
    ("Conv2D", LAYERS, "did you mean 'conv2d'?"),
    ("sigmoid", LAYERS, "did you mean 'logistic'?"),
    ("Swish", LAYERS, "did you mean 'silu'?"),
    ("conv", LAYERS, "did you mean 'conv2d' or 'conv1d'?"),
    ("mse", loss_names(), "did you mean 'mean_squared_error' or 'half_squared_error'?"),
    ("bce", ["binary_cross_entropy"], "did you mean 'binary_cross_entropy'?"),
    ("sgd", OPTIMIZERS, "did you mean 'gradient_descent'?"),
    ("zzz", OPTIMIZERS, "`derive layers` lists them"),
    ("zzz", ["a", "b"], "known: a, b"),
]


@pytest.mark.parametrize(("word", "known", "words"), NAMES)
def test_a_name_of_the_library_that_was_meant(word: str, known: list[str], words: str) -> None:
    assert nearest_row(word, known) == words


def test_the_other_names_lead_to_rows_and_hide_none() -> None:
    assert {row for rows in OTHER_NAMES.values() for row in rows} <= ROWS
    assert not OTHER_NAMES.keys() & ROWS
    assert {row for rows in OTHER_FUNCTIONS.values() for row in rows} <= FUNCTIONS


def test_a_long_list_is_cut() -> None:
    names = [f"n{k}" for k in range(20)]
    assert listed(names).count(",") == MOST_LISTED - 1
    assert listed(names).endswith("and 12 more")
    assert quoted(names).endswith("'n7' and 12 more")
    assert quoted(["a", "b"]) == "'a', 'b'"
    assert listed(names, "derive layers") == "`derive layers` lists them"
    assert nearest("q", []) == "none is known"


RNN = GIVEN + "model:\n  - {layer: rnn, inputs: x, operands: {%s: W}}\n"
PLACES = [
    (RNN % "Wx", "4: model.0.operands.Wx: rnn has no 'Wx' here; known: U, W, b, h0"),
    (RNN % "x", "4: model.0.operands.x: rnn has no 'x' here; known: U, W, b, h0"),
    (RNN.replace("rnn", "lstm") % "Wx", "lstm has no 'Wx' here; `derive layers lstm` lists them"),
]


@pytest.mark.parametrize(("text", "words"), PLACES)
def test_only_what_is_valid_there_is_offered(text: str, words: str) -> None:
    assert words in told(text)


# --- formulas -------------------------------------------------------------------------------

# a line of a model, what is said of it, and the text that the caret stands under
FORMULAS = [
    ("h[j] = x @ W", "such as sum(i, x[i]*W[i,h])", "x @ W"),
    ("h[j] = W @ x", "such as sum(i, W[h,i]*x[i])", "W @ x"),
    ("h[j] = dot(W, x)", "such as sum(i, W[h,i]*x[i])", "dot"),
    ("h[j] = np.matmul(W, x)", "such as sum(i, W[h,i]*x[i])", "np"),
    ("h[j] = W.dot(x)", "such as sum(i, W[h,i]*x[i])", "W.dot"),
    ("h[j] = W.T[j,0]", "a transpose has its letters the other way round", "W.T"),
    ("h[j] = np.exp(x[j])", "called by its name, without keywords, as in exp(...)", "np"),
    ("h[j] = 2x[j]", "a product needs its star, as in 2*x", "x[j]"),
    ("h[j] = x[0] x[j]", "a product needs its star, as in 2*x", "x[j]"),
    ("h[j] = sum(i, W[j,i]x[i])", "a product needs its star, as in 2*x", "x[i])"),
    ("h[j] = 2(x[j] + 1)", "a product needs its star, as in 2*x", "(x[j]"),
    ("E = x(2)", "'x' is not a function but a quantity; a product needs its star", "x(2)"),
    ("h[j] = x[j]^2", "a power is written with two stars, as in x**2", "x[j]"),
    ("h[j] = sum(i, W[j,i]*x[i]", "this is not a formula: '(' was never closed", "(i"),
    ("h[k] = W[k]*2", "'W' needs 2 indices, not 1", "W[k]"),
    ("E = sum(k, W[k])", "'W' needs 2 indices, not 1", "W[k]"),
    ("E = max(k, W[k])", "'W' needs 2 indices, not 1", "W[k]"),
    ("E = x[0,1]", "'x' needs 1 index, not 2", "x[0,1]"),
    ("h[k] = Wx[k,k]", "'Wx' is unknown", "Wx"),
    ("h[k] = average(k, x[k])", "did you mean 'mean'?", "average"),
    ("E = sum(k, x[k+1])", "say it under 'sizes:', as in {k: 3}", "k, x"),
    ("E = W[0,i]*x[i]", "the index 'i' of 'W[0,i]' is not bound; sum over it", "i]*x"),
    ("E = W[0,i]*x[i]", "as in sum(i, ...), or let it stand on the left side, too", "i]*x"),
    ("E = x[0] + sum(i, x[i])*x[i]", "the index 'i' of 'x[i]' is not bound", "i]$"),
    ("h[t] = x[0]*h[t-1] + x[1]*h[t+1] + x[t]", "here h[t+1] goes the other way", "h[t+1]"),
    ("h[t] = x[t] + h[2*t]", "here h[2*t] may be the step that is being computed", "h[2*t]"),
    ("h[t] = x[t] + sum(s, x[s]*h[s])", "here h[s] goes both ways", "h[s]"),
    ("h[t] = x[t] + h[t*t]", "here h[t**2] is not a fixed number of steps away", "h[t*t]"),
    ("h[t] = x[t] + h[t]", "here h[t] is the step that is being computed", "h[t]$"),
]


@pytest.mark.parametrize(("line", "words", "under"), FORMULAS)
def test_a_slip_in_a_formula(line: str, words: str, under: str) -> None:
    reason, shown, caret = told(f"{GIVEN}model:\n  - '{line}'\n").rsplit("\n", 2)
    assert words in reason
    assert reason.startswith("my.yaml:4: model.0: ")
    rest = shown[len(caret) - 1 :]
    assert rest == under[:-1] if under.endswith("$") else rest.startswith(under)


def test_the_other_equation_of_a_circle_is_shown() -> None:
    words = told(GIVEN + "model: ['a[t] = x[t] + b[t-1]', 'b[t] = a[t] + b[t+1]']\n")
    assert "'a', 'b' depend on each other in a circle" in words
    assert "here b[t+1] goes the other way\n    a[t] + b[t+1]\n           ^" in words


EDGES = [
    ("h[t] = h[t+1] + x[t]", "h[-1] = 0", "what is read is h[size(t)] = ..."),
    ("h[t] = h[t+2] + x[t]", "h[-1] = 0", "what is read is h[size(t) + 1] = ..."),
    ("h[t] = h[t-1] + x[t]", "h[size(t)] = 0", "what is read is h[-1] = ..."),
    ("h[t,k] = h[t-1,k] + W[t,k]", "h[-2,k] = 0", "what is read is h[-1,k] = ..."),
    ("h[t] = 2*x[t]", "h[-1] = 0", "nothing reads 'h' there"),
]


@pytest.mark.parametrize(("line", "edge", "words"), EDGES)
def test_an_edge_that_nothing_meets(line: str, edge: str, words: str) -> None:
    found = told(f"{GIVEN}model:\n  - |\n    {line}\n    {edge}\n")
    assert words in found
    assert f"    {edge}\n" in found


def test_an_edge_that_something_meets() -> None:
    for line in ("h[t] = h[t-2] + x[t]", "h[t] = x[t] + sum(s, x[s]*h[t-1-s])"):
        edge = "h[-2] = 1\n    h[-1] = 2\n    E = sum(t, h[t])\nloss: E\n"
        made(f"inputs: {{x: [1, 2, 3]}}\nmodel:\n  - |\n    {line}\n    {edge}")


# --- sections -------------------------------------------------------------------------------

LOSS = "inputs: {y: [1, 2]}\ntargets: {t: [3, 4]}\nloss: "
TYPES = [
    ("5", "my.yaml:3: loss: this must be text, a mapping or a list"),
    ("{loss: huber, inputs: 5}", "my.yaml:3: loss.inputs: this must be text, a list or a mapping"),
    ("{loss: huber, inputs: [y, [t]]}", "my.yaml:3: loss.inputs.1: this must be text or a number"),
    ("{loss: huber, inputs: {y: [1]}}", "my.yaml:3: loss.inputs.y: this must be text or a number"),
    ("[{loss: huber, inputs: [y, t]}, 3]", "my.yaml:3: loss.1: this must be a mapping"),
    ("{loss: huber, inputs: [y, t], weight: big}", "my.yaml:3: loss.weight: this must be a number"),
    ("{loss: huber}", "my.yaml:3: loss.inputs: the field 'inputs' is missing"),
    ("{los: huber}", "my.yaml:3: loss.los: unknown field 'los'; did you mean 'loss'?"),
]


@pytest.mark.parametrize(("loss", "words"), TYPES)
def test_a_wrong_type_is_told_in_one_line(loss: str, words: str) -> None:
    assert told(f"{LOSS}{loss}\n").split("\n")[0] == words
    assert "\n" not in told(f"{LOSS}{loss}\n") or "los:" in loss


def test_a_loss_alone_is_a_model() -> None:
    for loss in ("{loss: huber, inputs: [y, t]}", "E = sum(i, (y[i] - t[i])**2)"):
        problem = made(f"{LOSS}{loss}\n")
        assert problem.is_model
        assert problem.wanted == ("y",)


@pytest.mark.parametrize("more", ["", "loss: E\n", "upstream: {y: 1}\n"])
def test_without_a_loss_of_its_own_something_must_be_computed(more: str) -> None:
    assert "nothing is computed here; give a 'model'" in told(f"inputs: {{y: 1}}\n{more}")


@pytest.mark.parametrize("inputs", ["[y, 0]", "{y: y, t: 0}", "[0, y]"])
def test_a_number_stands_for_an_input(inputs: str) -> None:
    problem = made(f"inputs: {{y: [1, 2]}}\nloss: {{loss: half_squared_error, inputs: {inputs}}}\n")
    assert str(problem.graph.equations[0].rhs) == "y[n]**2/2"
    layer = made("inputs: {y: [1, 2]}\nmodel:\n  - {layer: add, inputs: [y, 3], output: z}\n"
                 "loss: E = sum(i, z[i]**2)\n")  # fmt: skip
    assert layer.graph.quantities["z"].shape == (2,)


# --- what is given --------------------------------------------------------------------------

PICK = (
    "parameters: {E: [[1, 2], [3, 4], [5, 6]]}\nintegers: [a]\n"
    "model: ['L = sum(t, d, E[a[t],d])']\ninputs:\n  a: %s\n"
)
LABEL = (
    "inputs: {y: [1, 2, 3]}\nintegers: [l]\ntargets:\n  l: %s\nloss: {loss: %s, inputs: [y, l]}\n"
)
LOSS_OF = "inputs: {y: [1, 2, 3]}\nloss: {loss: label_cross_entropy, inputs: [y, %s]}\n"
POSITIONS = [
    (PICK % "[0, 3]", "5: inputs.a.1: a[1] is 3, but E[a[t],d] has 3 places there, 0 to 2"),
    (PICK % "[0, 3]", "positions count from 0"),
    (PICK % "[0, 1]\nsamples: [{a: [0, 1]}, {a: [7, 0]}]", "6: samples.1.a.0: a[0] is 7"),
    (PICK % "[0, 1]\nsamples: [{a: [0, 1]}, {a: [0, 0.5]}]", "6: samples.1.a: this holds whole"),
    (LABEL % (3, "label_cross_entropy"), "4: targets.l: l is 3, but y[l] has 3 places there"),
    (LOSS_OF % 0.5, "label holds whole numbers from 0 on, but here is 1/2"),
]


@pytest.mark.parametrize(("text", "words"), POSITIONS)
def test_a_position_beyond_its_axis(text: str, words: str) -> None:
    assert words in told(text)


def test_a_comparison_is_free() -> None:
    text = "inputs: {y: [1, 2]}\nconstants: {a: 7}\nintegers: [a]\n"
    assert made(text + "model: ['L = sum(i, (i == a)*y[i])']\n").values["a"] == {(): 7}
    assert made(PICK % "[0, 2]")


UNUSED = "inputs: {x: [1, 2]}\n%s:\n  h0: 7\nmodel: ['L = sum(i, x[i])']\n"


@pytest.mark.parametrize("section", ["constants", "targets"])
def test_what_nothing_reads(section: str) -> None:
    assert f"my.yaml:3: {section}.h0: nothing reads 'h0'" in told(UNUSED % section)
    assert "inputs.z: nothing reads 'z'" in told("inputs: {x: 1, z: 2}\nmodel: ['L = x**2']\n")


# --- published numbers ----------------------------------------------------------------------

SOFTMAX = (
    "inputs: {z: [1, 2, 3]}\nparameters: {w: 2}\n"
    "model: ['p[i] = exp(w*z[i])/sum(k, exp(w*z[k]))', 'E = -log(p[0])']\n"
    "published:\n  - {name: '%s', printed: %s}\n"
)
NO_NUMBERS = [
    ("q", "3", "5: published.0.name: there is no 'q'; known: E, p, w, z"),
    ("dE/dq", "3", "there is no 'q'"),
    ("dq/dz[0]", "3", "there is no 'q'"),
    ("p[7]", "3", "'p' has no entry [7]: its shape is 3, counted from 0"),
    ("p", "3", "5: published.0.printed: 'p' is 3; name one entry, or print a table"),
    ("p", "[1, 2]", "'p' is 3, and this table is not"),
    ("dp/dz", "[1, 2, 3]", "'dp/dz' is 3 x 3, and this table is not"),
    ("p*2", "3", "'p*2' is no name; it is written like W[0,1]"),
]


@pytest.mark.parametrize(("name", "printed", "words"), NO_NUMBERS)
def test_a_published_name_must_be_one(name: str, printed: str, words: str) -> None:
    assert words in told(SOFTMAX % (name, printed))


TABLES = [
    ("dp/dz", "[[1, 2, 3], [4, 5, 6], [7, 8, 9]]", "dp[1]/dz[2]", "6"),
    ("dp[1]/dz", "[1, 2, 3]", "dp[1]/dz[2]", "3"),
    ("dp/dz[1]", "[1, 2, 3]", "dp[2]/dz[1]", "3"),
    ("dp/dw", "[1, 2, 3]", "dp[0]/dw", "1"),
    ("dE/dz @1", "[1, 2, 3]", "dE/dz[2]@1", "3"),
    ("w+", "1", "w+", "1"),
]


@pytest.mark.parametrize(("name", "printed", "entry", "text"), TABLES)
def test_the_entries_of_a_table(name: str, printed: str, entry: str, text: str) -> None:
    found = {each.name: each.printed for each in made(SOFTMAX % (name, printed)).published}
    assert found[entry] == text


DISAGREEMENTS = [  # E is 4.1429 at w = 2
    ("E", "4.15", "is printed 4.15, but the value is 4.1429…, so 4.14 at the printed digits; "
     "it is the value cut or rounded the other way"),
    ("E", "8.29", "but the value is 4.1429…, so 4.14 at the printed digits; it is 2 times the"),
    ("E", "1.38", "so 4.14 at the printed digits\n"),  # a third: by chance, too, with three digits
    ("E", "1.38098", "it is the value divided by 3"),
    ("E", "-4.14", "it is the value with the opposite sign"),
    ("E", "8", "is printed 8, but the value is 4.1429…, so 4 at the printed digits\n"),
    ("E", "0.414", "is printed 0.414, but the value is 4.14293…, so 4.143 at the printed digits\n"),
    ("w", "1", "is printed 1, but the value is 2\n"),
    ("w+", "1", "is printed 1, but nothing is updated; say how in 'training:'"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "printed", "words"), DISAGREEMENTS)
def test_what_is_said_of_a_print_that_differs(
    name: str, printed: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "my.yaml").write_text(SOFTMAX % (name, printed), "utf-8")
    assert main(["verify", str(tmp_path / "my.yaml")]) == 1
    text = capsys.readouterr().out
    assert words in text
    assert "None" not in text
    assert "nan" not in text


# --- values ---------------------------------------------------------------------------------

SOME = "inputs: {x: [1, 2]}\nparameters: {w: %s, v: %s}\nmodel: ['E = sum(i, w*v*x[i])']\n"
MISSING = [
    (SOME % ("{shape: []}", "1"), "derive: no numbers: 'w' has no value\n"),
    (SOME % ("{shape: []}", "{shape: []}"), "derive: no numbers: 'w', 'v' have no values\n"),
    (SOME % ("1", "1"), ""),
    (SOME.replace("[1, 2]", "{shape: [2]}") % ("{shape: []}", "{shape: []}"), ""),
]


@pytest.mark.parametrize(("text", "words"), MISSING)
def test_values_that_are_missing_while_others_are_given(
    text: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "my.yaml").write_text(text, "utf-8")
    assert main(["explain", str(tmp_path / "my.yaml"), "w"]) == 0
    assert capsys.readouterr().err == words


NOT_FINITE = [
    ("log(z[i])", "[1, -2]", "in the equation of p[1]: log(-2.0) is no finite real number"),
    ("1/z[i]", "[0, 1]", "in the equation of p[0]: this divides by zero"),
    ("sqrt(z[i])", "[1, -1]", "in the equation of p[1]: a root of a negative number is not real"),
    ("z[i]**(-1/2)", "[1, 0]", "in the equation of p[1]: this divides by zero"),
]


@pytest.mark.parametrize(("formula", "values", "words"), NOT_FINITE)
def test_a_value_that_is_not_finite_has_a_name(
    formula: str, values: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f"inputs: {{z: {values}}}\nmodel: ['p[i] = {formula}', 'E = sum(i, p[i])']\n"
    (tmp_path / "my.yaml").write_text(text, "utf-8")
    assert main(["verify", str(tmp_path / "my.yaml")]) == 2
    assert words in capsys.readouterr().err
