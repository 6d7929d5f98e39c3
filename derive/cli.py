"""The command line: its arguments, and the exit codes.

A command is loaded when it is asked for: `derive --help` needs no SymPy, and SymPy takes its time.
"""

from __future__ import annotations

import argparse
import gc
import sys
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from derive import __version__
from derive.builtin import DEFAULT, builtin_names
from derive.edge import BAD, at_the_edge
from derive.errors import InputError, told
from derive.languages import LANGUAGES

# Expressions are many small objects that hold no circles: looked for rarely, a tenth of the time.
GARBAGE = (50_000, 50, 100)
Add = Callable[[str, str, str], argparse.ArgumentParser]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. 0: good; 1: a check found something; 2: bad input; 128 + n: signal n."""
    gc.set_threshold(*GARBAGE)
    with at_the_edge() as edge:
        edge.code = _run(arguments)
    return edge.code


def _run(arguments: Sequence[str] | None) -> int:
    options = _parser().parse_args(arguments)
    # what a module warns of while it is checked, the check says in words
    warnings.filterwarnings("ignore", category=RuntimeWarning, module="emitted")
    module, name = options.command
    try:
        return int(getattr(import_module(f"derive.commands.{module}"), name)(options))
    except InputError as error:
        print(f"derive: {told(error)}", file=sys.stderr)
    except RecursionError:
        print("derive: this is nested too deeply; give parts of it names", file=sys.stderr)
    return BAD


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="derive",
        description="From a layer spec to a textbook derivation, a code module, and their proof.",
        epilog=f"SPEC is a file or one of: {', '.join(builtin_names())}. "
        "Exit codes: 0 good, 1 a check found something, 2 bad input.",
    )
    parser.add_argument("--version", action="version", version=f"derive {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, module: str, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(command=(module, name.replace("-", "_")))
        return sub

    build = add("build", "writing", "write the derivation, the modules and the report")
    _spec(build)
    build.add_argument("--output", "-o", type=Path, default=Path("output"), metavar="DIR")
    build.add_argument("--language", choices=LANGUAGES, action="append")
    build.add_argument(
        "--pdf",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="make PDFs (default: if TeX is installed)",
    )
    latex = add("latex", "writing", "write the LaTeX derivation")
    _spec(latex)
    latex.add_argument("--output", "-o", type=Path, metavar="FILE")
    latex.add_argument("--language", choices=LANGUAGES)
    _theme(latex)
    latex.add_argument("--weights", metavar="w1,w5", help="tell only of these weights")
    _shown(latex)
    latex.add_argument("--pdf", action="store_true", help="make a PDF (needs --output)")
    latex.add_argument(
        "--certificate",
        type=Path,
        metavar="FILE.v",
        help="write the certificate, have Coq check it, and mark on the page what is proven",
    )
    _told(add)
    _slides(add("slides", "presenting", "write slides, one step of the derivation on each"))
    _code(add("code", "coding", "write a code module"))
    _train(add("train", "training", "train the parameters of a spec on data"))
    _checks(add)
    _explain(add("explain", "telling", "show the derivation by one weight or quantity"))
    _exercise(add("exercise", "exercising", "write sheets of exercises, or mark answers to them"))
    _bring(add("from-torch", "bringing", "write the spec of a model of torch.export.save"))
    _bring(add("from-onnx", "bringing", "write the spec of a model of ONNX"))
    _bring(add("from-keras", "bringing", "write the spec of a model in the JSON of Keras"))
    rows = add("layers", "telling", "list the library, or show the equations of one of its rows")
    rows.add_argument("name", nargs="?", metavar="NAME")
    _start(add("new", "telling", "write a spec to start from"))
    add("reference", "telling", "print the reference of the spec language (Markdown)")
    add("schema", "telling", "print the JSON schema of a spec, for editors")
    return parser


def _checks(add: Add) -> None:
    """The commands that check: numbers and pages, a proof, documents."""
    check = add("verify", "judging", "check every number by independent routes")
    _spec(check)
    check.add_argument("--json", action="store_true", help="print the report as JSON")
    check.add_argument(
        "--kernel",
        action="store_true",
        help="also have Coq check the certificate, if it is installed",
    )
    check.add_argument(
        "--target",
        action="append",
        default=[],
        help="also check the module of a target that is not made of every spec, such as c",
    )
    proof = add("certify", "proving", "write a proof of the derivation that Coq checks")
    _spec(proof)
    _certificate(proof)
    _documents(add("check", "checking", "proof-read a document: LaTeX, Markdown, HTML, a notebook"))


def _told(add: Add) -> None:
    """The commands that write a page for other readers than those of LaTeX."""
    _theme(_page(add("html", "browsing", "write an interactive page, one file of HTML")))
    text = add("markdown", "writing", "write the derivation in Markdown, its pictures beside it")
    _theme(_page(text, "md"))
    _shown(text)
    book = add("notebook", "writing", "write a notebook of Jupyter that computes its own numbers")
    _theme(_page(book, "ipynb"))
    _shown(book)
    book.add_argument("--target", choices=("python", "numpy"), default="", help="of its module")


def _slides(parser: argparse.ArgumentParser) -> None:
    _spec(parser)
    parser.add_argument("--output", "-o", type=Path, metavar="FILE", help="default: print it")
    parser.add_argument(
        "--format",
        choices=("beamer", "reveal"),
        help="LaTeX for beamer, or one file of HTML marked up as for reveal.js "
        "(default: by the ending of FILE, else beamer)",
    )
    parser.add_argument("--language", choices=LANGUAGES)
    parser.add_argument("--pdf", action="store_true", help="make a PDF (beamer; needs --output)")
    _theme(parser)
    _shown(parser)


def _code(parser: argparse.ArgumentParser) -> None:
    _spec(parser)
    parser.add_argument(
        "--target", default="python", help="python, numpy, c, jax or torch (default: python)"
    )
    parser.add_argument("--single", action="store_true", help="in single precision (float); only c")
    parser.add_argument(
        "--stats", action="store_true", help="count the operations and write no module"
    )
    parser.add_argument("--output", "-o", type=Path, metavar="FILE")
    parser.add_argument(
        "--test",
        type=Path,
        metavar="FILE",
        help="also write a test of the module beside it, for pytest: derivatives by differences",
    )


def _explain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "names",
        nargs="+",
        metavar="[SPEC] NAME",
        help="a weight of a network; of a model a quantity or an entry of it, such as 'W[0,1]'",
    )
    _run_of(parser)
    parser.add_argument(
        "--order", type=int, choices=(1, 2), default=1, help="2: the Hessian times a vector"
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="print the values asked for, and their formulas, as JSON",
    )
    parser.add_argument(
        "--forward", action="store_true", help="of a network: with the forward pass before it"
    )


def _exercise(parser: argparse.ArgumentParser) -> None:
    _spec(parser)
    parser.add_argument(
        "--seed", type=int, default=1, metavar="N", help="which series (default: 1)"
    )
    parser.add_argument("--count", type=int, default=1, metavar="K", help="how many sheets of it")
    parser.add_argument(
        "--blanks",
        choices=("results", "steps", "mixed"),
        default="mixed",
        help="leave out results, whole steps, or (the default) steps from the second of a kind on",
    )
    parser.add_argument("--digits", type=int, metavar="N", help="significant digits of results")
    parser.add_argument(
        "--questions", type=int, default=24, metavar="N", help="at most so many of a model"
    )
    parser.add_argument(
        "--to",
        choices=("latex", "html", "moodle"),
        action="append",
        help="what to write (default: latex)",
    )
    parser.add_argument("--pdf", action="store_true", help="also make PDFs of the LaTeX")
    parser.add_argument("--language", choices=LANGUAGES, action="append")
    parser.add_argument("--output", "-o", type=Path, default=Path("exercises"), metavar="DIR")
    parser.add_argument(
        "--processes", type=int, metavar="N", help="that work together (default: one a processor)"
    )
    parser.add_argument(
        "--check", type=Path, nargs="+", metavar="FILE.csv", help="mark these answers instead"
    )
    parser.add_argument("--json", action="store_true", help="print the marks as JSON")


def _train(parser: argparse.ArgumentParser) -> None:
    _spec(parser)
    parser.add_argument(
        "--data",
        nargs="+",
        required=True,
        metavar="FILE",
        help="arrays by name: FILE.npz, FILE.csv, or NAME=FILE of IDX or .npy",
    )
    parser.add_argument(
        "--test", nargs="+", metavar="FILE", help="data whose loss is told, too, after each epoch"
    )
    parser.add_argument("--epochs", type=int, default=1, metavar="N", help="times through the data")
    parser.add_argument(
        "--batch", type=int, metavar="N", help="samples an update (default: the spec's)"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of order and weights")
    parser.add_argument("--in-order", action="store_true", help="take the samples as they come")
    parser.add_argument(
        "--learning-rate", type=float, metavar="R", help="another one than the spec's"
    )
    parser.add_argument("--resume", action="store_true", help="go on where it was stopped")
    parser.add_argument("--output", "-o", type=Path, default=Path("training"), metavar="DIR")


def _bring(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, metavar="MODEL")
    parser.add_argument("--output", "-o", type=Path, metavar="SPEC.yaml", help="default: print it")
    parser.add_argument(
        "--loss",
        default="",
        metavar="NAME",
        help="a loss of the library, mse or cross_entropy; none: gradients are given from above",
    )
    parser.add_argument(
        "--no-values", dest="values", action="store_false", help="shapes only, no weights"
    )


def _start(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, nargs="?", metavar="FILE", help="default: print it")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--network", action="store_true", help="a chain of dense layers")
    kind.add_argument("--layer", metavar="NAME", help="a model of one layer or loss")


def _spec(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "spec",
        nargs="?",
        default=DEFAULT,
        metavar="SPEC",
        help=f"a spec file or built-in spec (default: {DEFAULT})",
    )
    _run_of(parser)


def _run_of(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--run", metavar="NAME", help="of a spec with 'runs': this one of them")


def _theme(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--theme",
        type=Path,
        metavar="FOLDER",
        help="title, author, logo, fonts, colours and words from its theme.yaml",
    )


def _shown(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--show",
        action="append",
        default=[],
        metavar="ENTRY",
        help="of a model: work this entry out, such as 'W[1,2]'; once for each quantity",
    )


def _page(parser: argparse.ArgumentParser, ending: str = "html") -> argparse.ArgumentParser:
    _spec(parser)
    parser.add_argument(
        "--output", "-o", type=Path, metavar=f"FILE.{ending}", help="default: print it"
    )
    opens = "the one that it opens with" if ending == "html" else None
    parser.add_argument("--language", choices=LANGUAGES, help=opens)
    return parser


def _certificate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--output", "-o", type=Path, metavar="FILE.v", help="default: print it")
    parser.add_argument("--no-check", action="store_true", help="only write it")


def _documents(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("documents", nargs="+", type=Path, metavar="DOCUMENT")
    rule = parser.add_mutually_exclusive_group()
    rule.add_argument("--digits", type=int, metavar="N", help="significant digits of its numbers")
    rule.add_argument("--decimals", type=int, metavar="N", help="decimals of its numbers")
    parser.add_argument(
        "--spec", metavar="SPEC", help="the network or model that the documents are about"
    )
    _run_of(parser)
    parser.add_argument(
        "--write-spec", type=Path, metavar="FILE", help="write the spec that a document states"
    )
    parser.add_argument(
        "--annotate", type=Path, metavar="FILE", help="write a copy with each finding at its place"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print every verdict as JSON")
    form.add_argument("--sarif", action="store_true", help="print the findings for a forge")
