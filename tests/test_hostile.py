"""Hostile texts in the places of a spec: nothing runs, nothing is written, nothing is a command.

The places are found by walking the schema, so a new field is among them at once; besides, every
text and every name of two whole specs is replaced, or gets something behind it.
"""

from __future__ import annotations

import copy
import re
import types
import typing
from collections.abc import Callable, Iterator
from enum import Enum
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from derive.cli import main
from derive.emit.checked import checked
from derive.schema import Spec
from derive.typeset import TypesetError, engine, typeset
from tests.sampled import sampled

NETWORK = """\
title: {en: A network, ko: A network}
network:
  inputs: [i1, i2]
  layers: [{dense: [o1], bias: each, activation: wave}]
  loss: {name: squares, batch: mean}
parameters: {W1: [[0.1, 0.2]], b1: [0.5]}
data: {inputs: [1, 2], targets: [0.5]}
training: {learning_rate: 0.1, steps: 2, optimizer: gradient_descent, frozen: [b1]}
numbers: {significant_digits: 4, rounding: half_up, zeros: strip}
languages: [en]
published: [{name: w1, printed: "0.7", where: page 1, misprint: a slip}]
claims: [{formula: dE/dw1 = w1, where: page 1, misprint: a slip}]
define:
  activations: {wave: f(x) = sin(x)}
  losses: {squares: "f(y, t) = (y - t)**2"}
"""
MODEL = """\
title: A model
inputs: {x: [1, 0.5]}
parameters: {W: [[0.1, 0.2], [0.3, 0.4]], a: {shape: [2], values: 1}}
targets: {t: [0, 1]}
constants: {c: 2}
integers: [k]
model:
  - "z[h] = sum(i, W[h,i]*x[i])*c"
  - {layer: scaled, name: s, inputs: {x: z}, output: y, operands: {a: a}, settings: {m: 2}}
loss: [{loss: half_squared_error, inputs: [y, t], name: e, reduction: sum, weight: 1}]
gradients: [W, a]
samples: [{x: [1, 0.5]}]
training:
  optimizer: heavy
  settings: {mu: 0.5}
  states: {v: {a: [0, 0]}}
  frozen: [W]
  schedule: {exponential: {factor: 0.5}}
  clip: {norm: 1}
  weight_decay: {l2: 0.1}
languages: [en]
published: [{name: "a[0]+", printed: "1", where: page 1, misprint: a slip}]
claims: [{formula: "dE/da[h] = z[h]", where: page 1, misprint: a slip}]
define:
  layers:
    scaled:
      inputs: ["x[...,i]"]
      equations: "y[...,i] = m*a[i]*x[...,i] + p"
      parameters: ["a[i]"]
      constants: ["p"]
      settings: {m: 1}
      optional: {p: 0}
      sizes: {u: "size(i)"}
      summary: a scaled input
  optimizers:
    heavy:
      equations: "v = mu*v + g\\nw = w - alpha*v"
      states: [v]
      settings: {mu: 0.9}
      summary: a heavy ball
runs: [{name: the first, title: A run, targets: {t: [1, 0]}, numbers: {decimals: 3}}]
"""
SPECS = {"network": NETWORK, "model": MODEL.replace("integers: [k]\n", "")}
FORBIDDEN = (
    *("input", "include", "write", "openout", "openin", "immediate", "csname", "catcode", "def"),
    *("read", "special", "directlua", "end{document}", "PWNED", "loop", "expandafter", "verb"),
)
HOSTILE = (
    "'''; open('PWNED', 'w').write('x'); '''",
    '"""\nopen(\'PWNED\', \'w\')\n"""',
    "x\nopen('PWNED', 'w')\n#",
    '\\"""; open(\'PWNED\', \'w\'); """',
    "\\",
    "__import__('pathlib').Path('PWNED').touch()",
    "y = [z for z in ().__class__.__base__.__subclasses__()]",
    "f(x) = open('PWNED', 'w')",
    "{x.__class__} {0!r:>{1}}",
    "\\input{/etc/hostname}",
    "\\immediate\\write18{touch PWNED}",
    "^^5cinput{/etc/hostname}",
    "}\\end{document}\\def\\x{",
    "$\\PWNED$ & # _ ~ % comment",
    "%\n\\PWNED",
    "<<self.__init__.__globals__>> <% raw %> <# x #>",
    "{{ cycler.__init__.__globals__.os.popen('touch PWNED') }}{% raw %}",
    "<script>alert('PWNED')</script>",
    '*/ system("touch PWNED"); /*',
    "a\0b",
    "a\ud800b",
    "\u202ea\u2066b\u200b\u2028c",
    "\x1b]0;PWNED\x07\x1b[2J",
    "../../PWNED",
    "/PWNED",
    "$(touch PWNED) `touch PWNED` ; touch PWNED",
    "!!python/object/apply:os.system ['touch PWNED']",
    "lambda",
    "__builtins__",
    "adj_x",
    "",
    " ",
    "A" * 20,
    "A" * 60,
    "A" * 5000,
    "i",
    "가 → ∂ 🙂 é",
)
FEW = 3  # the fast suite tries each third place, each text in turn
SHARE = 4  # the long one each text in a quarter of the places: 5,800 specs
Slot = Callable[[str], Any]
Place = tuple[str | int, ...]


# --- places ---------------------------------------------------------------------------------


def slots(kind: Any) -> Iterator[Slot]:
    """The values of a type that hold a text somewhere, as functions of the text."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        yield from slots(inner[0])
    elif origin in (typing.Union, types.UnionType):
        for each in inner:
            yield from slots(each)
    elif origin is list:
        yield from ((lambda text, slot=slot: [slot(text)]) for slot in slots(inner[0]))
    elif origin is dict:
        yield lambda text: {text: 1}
        yield from ((lambda text, slot=slot: {"x": slot(text)}) for slot in slots(inner[1]))
    elif kind is Any:
        yield from (lambda text: text, lambda text: [text], lambda text: {text: text})
    elif isinstance(kind, type) and issubclass(kind, BaseModel):
        yield lambda text: {text: text}
    elif kind is not type(None):
        assert kind in (str, int, bool) or origin is typing.Literal or issubclass(kind, Enum), kind
        yield lambda text: text


def sections(kind: Any, data: Any, path: Place) -> Iterator[tuple[type[BaseModel], Place]]:
    """Every section that a spec has, with its place."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if isinstance(kind, type) and issubclass(kind, BaseModel) and isinstance(data, dict):
        yield kind, path
        for name, field in kind.model_fields.items():
            if name in data:
                yield from sections(field.annotation, data[name], (*path, name))
    elif origin is list and isinstance(data, list):
        for k, each in enumerate(data):
            yield from sections(inner[0], each, (*path, k))
    elif origin is dict and isinstance(data, dict):
        for key, each in data.items():
            yield from sections(inner[1], each, (*path, key))
    elif origin is not typing.Literal:
        for each in inner:
            yield from sections(each, data, path)


def changed(spec: Any, path: Place, value: Any) -> Any:
    """A spec with another value at a place."""
    made = copy.deepcopy(spec)
    at = made
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return made


def by_schema(spec: Any) -> Iterator[tuple[Place, Slot]]:
    """Each field of each section, with hostile values of each type that it may have."""
    for section, path in sections(Spec, spec, ()):
        yield path, lambda text, path=path: merged(spec, path, {text: "x"})
        for name, field in section.model_fields.items():
            for slot in slots(field.annotation):
                place = (*path, name)
                yield place, lambda text, at=place, slot=slot: changed(spec, at, slot(text))


def merged(spec: Any, path: Place, more: dict[str, Any]) -> Any:
    """A spec with more fields in one of its sections."""
    at = spec
    for step in path:
        at = at[step]
    return changed({"": spec}, ("", *path), {**at, **more})[""]


def by_example(data: Any, path: Place, spec: Any) -> Iterator[tuple[Place, Slot]]:
    """Each text and each key that stands in a spec, replaced, or with something behind it."""
    if isinstance(data, dict):
        for key, value in data.items():
            for head in ("", key):

                def renamed(text: str, key: str = key, head: str = head) -> Any:
                    new = {head + text if each == key else each: v for each, v in data.items()}
                    return changed({"": spec}, ("", *path), new)[""]

                yield (*path, key), renamed
            yield from by_example(value, (*path, key), spec)
    elif isinstance(data, list):
        for k, value in enumerate(data):
            yield from by_example(value, (*path, k), spec)
    else:
        yield path, lambda text: changed(spec, path, text)
        yield path, lambda text: changed(spec, path, f"{data}{text}")


def places() -> list[tuple[str, Place, Slot]]:
    found = []
    for name, text in SPECS.items():
        spec = yaml.safe_load(text)
        for place, slot in (*by_schema(spec), *by_example(spec, (), spec)):
            found.append((name, place, slot))
    return found


PLACES = places()


# --- what must not happen -------------------------------------------------------------------


def check(spec: Any, folder: Path, capsys: pytest.CaptureFixture[str]) -> int:
    """Build and verify a spec in a folder; nothing but the promised files may come of it."""
    (folder / "spec.yaml").write_text(yaml.safe_dump(spec, sort_keys=False), "utf-8")
    code = main(["build", "spec.yaml", "--no-pdf", "--output", "out"])
    said = "".join(capsys.readouterr())
    assert code in (0, 1, 2)
    assert all(c.isprintable() or c == "\n" for c in said), ascii(said)
    left = sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))
    if code == 2:
        assert left == ["spec.yaml"], left
        assert said.startswith("derive: ") and "Traceback" not in said
        return code
    files = ("spec.en.tex", "spec.report.json", "spec_numpy.py", "spec_python.py")
    assert left == ["out", *(f"out/{name}" for name in files), "spec.yaml"], left
    for name in files[2:]:
        checked((folder / "out" / name).read_text("utf-8"))
    harmless((folder / "out" / "spec.en.tex").read_text("utf-8"))
    for path in (folder / "out").iterdir():
        path.unlink()
    (folder / "out").rmdir()
    return code


def harmless(page: str) -> None:
    """No word of a hostile text stands in the page as a command, and no group is left open."""
    commands = set(re.findall(r"\\([A-Za-z]+)", page.split(r"\begin{document}")[1]))
    assert not commands & set(FORBIDDEN), commands & set(FORBIDDEN)
    assert "^^" not in page
    body = re.sub(r"\\.", "", page)
    assert body.count("{") == body.count("}")
    assert page.count(r"\end{document}") == 1 and page.rstrip().endswith(r"\end{document}")


def trial(name: str, place: Place, slot: Slot, text: str, folder: Path, capsys: Any) -> str | None:
    """What went wrong, if anything did."""
    try:
        spec = slot(text)
    except (TypeError, KeyError):  # the place is gone, for its own name was replaced
        return None
    try:
        check(spec, folder, capsys)
    except Exception as error:
        return f"{name} {'.'.join(map(str, place))} {text[:40]!a}: {type(error).__name__} {error}"
    return None


@pytest.fixture
def nested(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder three folders deep, in which the program runs."""
    folder = tmp_path / "a" / "b" / "c"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


def alone(folder: Path) -> bool:
    """Whether nothing was written outside the folder."""
    top = folder.parents[2]
    return [p for p in top.rglob("*") if folder not in p.parents] == [
        *(folder.parents[1], folder.parents[0], folder)
    ] and not Path("/PWNED").exists()


def test_the_specs_are_good_and_the_walk_reaches_every_section(
    nested: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reached = {Spec}
    for text in SPECS.values():
        spec = yaml.safe_load(text)
        check(spec, nested, capsys)
        reached |= {section for section, _ in sections(Spec, spec, ())}
    known: set[type[BaseModel]] = set()
    waiting: list[Any] = [Spec]
    while waiting:
        kind = waiting.pop()
        if isinstance(kind, type) and issubclass(kind, BaseModel) and kind not in known:
            known.add(kind)
            waiting += [field.annotation for field in kind.model_fields.values()]
        waiting += typing.get_args(kind)
    assert reached == known


@pytest.mark.slow
def test_a_hostile_text_in_every_place(nested: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = cycle(HOSTILE)
    found = [trial(*place, next(texts), nested, capsys) for place in PLACES[::FEW]]
    assert alone(nested)
    assert not list(filter(None, found)), "\n".join(filter(None, found))


def test_all_hostile_texts_where_any_text_is_good(
    nested: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = " ".join(text for text in HOSTILE if not re.search("[\0\ud800\x1b]", text))
    network, model = (yaml.safe_load(text) for text in SPECS.values())
    for spec in (network, model):
        spec["published"][0] |= {"where": words, "misprint": words}
    network["title"] = {"en": words, "ko": words}
    model["title"] = words
    own = [*model["define"]["layers"].values(), *model["define"]["optimizers"].values()]
    for row in own:
        row["summary"] = words
    for spec in (network, model):
        assert check(spec, nested, capsys) != 2
    assert alone(nested)


@pytest.mark.slow
@pytest.mark.parametrize("number", sampled(range(len(HOSTILE)), 6))
def test_hostile_texts_in_all_places(
    number: int, nested: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    share = PLACES[number % SHARE :: SHARE]
    found = [trial(*place, HOSTILE[number], nested, capsys) for place in share]
    assert alone(nested)
    assert not list(filter(None, found)), "\n".join(filter(None, found))


@pytest.mark.tex
@pytest.mark.slow
def test_hostile_words_are_typeset_as_words(nested: Path) -> None:
    words = [text for text in HOSTILE if not re.search("[\0\ud800\x1b\U0001f642]", text)]
    spec = yaml.safe_load(SPECS["model"])
    spec["title"] = " | ".join(text[:60] for text in words)
    for optimizer in spec["define"]["optimizers"].values():
        optimizer["summary"] = spec["title"]
    (nested / "spec.yaml").write_text(yaml.safe_dump(spec), "utf-8")
    assert main(["latex", "spec.yaml", "--language", "en", "--output", "spec.tex"]) == 0
    program = engine() or pytest.skip("no TeX")
    done = typeset((nested / "spec.tex").read_text("utf-8"), program)
    assert done.pdf.startswith(b"%PDF")
    assert sorted(p.name for p in nested.iterdir()) == ["spec.tex", "spec.yaml"]
    assert alone(nested)


@pytest.mark.tex
@pytest.mark.parametrize(
    "command", [r"\input{/etc/hostname}", r"\immediate\write18{touch PWNED}", r"\openout5=/PWNED.x"]
)
def test_tex_itself_reads_and_runs_nothing(command: str, nested: Path) -> None:
    """What no page holds would come to nothing if it were there."""
    program = engine() or pytest.skip("no TeX")
    page = rf"\documentclass{{article}}\begin{{document}}x {command} y\end{{document}}"
    try:
        typeset(page, program)
    except TypesetError:
        assert "write18" not in command
    else:
        assert "write18" in command
    assert alone(nested) and not any(nested.iterdir())
