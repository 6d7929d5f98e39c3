"""The command line, and the only place that reads and writes the user's files."""

from __future__ import annotations

import argparse
import gc
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from derive import __version__, load
from derive.backprop import differentiate
from derive.cli_certify import certify_arguments, certify_made
from derive.cli_check import check_documents, documents
from derive.edge import BAD, FOUND, GOOD, at_the_edge, progress
from derive.emit import TARGETS
from derive.errors import InputError, printable, quoted, told
from derive.files import Files, write
from derive.pipeline import Made, make, module
from derive.problem import Problem
from derive.reference import reference
from derive.render.explain import explain
from derive.render.explain_model import explain_model, explain_second_order
from derive.scaffold import scaffold
from derive.schema import Spec
from derive.showcase import listing, shown
from derive.spec import builtin_names
from derive.typeset import ADVICE, Typeset, TypesetError, engine, typeset
from derive.verify import Report
from derive.verify.report import lines

DEFAULT = "article"
# Expressions are many small objects that hold no circles: looked for rarely, a tenth of the time.
GARBAGE = (50_000, 50, 100)
Command = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. 0: good; 1: a check found something; 2: bad input; 128 + n: signal n."""
    gc.set_threshold(*GARBAGE)
    with at_the_edge() as edge:
        edge.code = _run(arguments)
    return edge.code


def _run(arguments: Sequence[str] | None) -> int:
    options = _parser().parse_args(arguments)
    command: Command = options.command
    try:
        return command(options)
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

    def add(name: str, command: Command, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(command=command)
        return sub

    build = add("build", _build, "write the derivation, the modules and the report")
    _spec(build)
    build.add_argument("--output", "-o", type=Path, default=Path("output"), metavar="DIR")
    build.add_argument("--language", choices=("ko", "en"), action="append")
    build.add_argument(
        "--pdf",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="make PDFs (default: if TeX is installed)",
    )
    latex = add("latex", _latex, "write the LaTeX derivation")
    _spec(latex)
    latex.add_argument("--output", "-o", type=Path, metavar="FILE")
    latex.add_argument("--language", choices=("ko", "en"))
    latex.add_argument("--weights", metavar="w1,w5", help="tell only of these weights")
    latex.add_argument("--pdf", action="store_true", help="make a PDF (needs --output)")
    code = add("code", _code, "write a code module")
    _spec(code)
    code.add_argument("--target", choices=tuple(TARGETS), default="python")
    code.add_argument("--output", "-o", type=Path, metavar="FILE")
    _checks(add)
    tell = add("explain", _explain, "show the derivation by one weight or quantity")
    tell.add_argument(
        "names",
        nargs="+",
        metavar="[SPEC] NAME",
        help="a weight of a network; of a model a quantity or an entry of it, such as 'W[0,1]'",
    )
    tell.add_argument(
        "--order", type=int, choices=(1, 2), default=1, help="2: the Hessian times a vector"
    )
    rows = add("layers", _layers, "list the library, or show the equations of one of its rows")
    rows.add_argument("name", nargs="?", metavar="NAME")
    _start(add("new", _new, "write a spec to start from"))
    add("reference", _reference, "print the reference of the spec language (Markdown)")
    add("schema", _schema, "print the JSON schema of a spec, for editors")
    return parser


def _checks(add: Callable[[str, Command, str], argparse.ArgumentParser]) -> None:
    """The commands that check: numbers and pages, a proof, documents."""
    check = add("verify", _verify, "check every number by independent routes")
    _spec(check)
    check.add_argument("--json", action="store_true", help="print the report as JSON")
    check.add_argument(
        "--kernel",
        action="store_true",
        help="also have Coq check the certificate, if it is installed",
    )
    proof = add("certify", _certify, "write a proof of the derivation that Coq checks")
    _spec(proof)
    certify_arguments(proof)
    documents(
        add("check", check_documents, "proof-read a document: LaTeX, Markdown, HTML, a notebook")
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


# --- commands -------------------------------------------------------------------------------


def _loaded(spec: str) -> Problem:
    """The problem of a spec, with a word on values that are missing while others are given."""
    problem = load(spec)
    made_up = problem.upstream.values()
    given = [q.name for q in problem.graph.given if q.name not in made_up]
    missing = [name for name in given if name not in problem.values]
    if missing and len(missing) < len(given):
        have = "have no values" if len(missing) > 1 else "has no value"
        print(f"derive: no numbers: {quoted(missing)} {have}", file=sys.stderr)
    return problem


def _build(options: argparse.Namespace) -> int:
    problem = _loaded(options.spec)
    with progress("deriving and writing"):
        made = make(problem, options.language or ())
        texts = _texts(made)
    program = engine() if options.pdf is not False else None
    with Files(options.output) as files:
        for name, text in texts.items():
            files.add(name, text.encode())
        with progress("verifying"):
            report = _read_back(made, files)
        files.add(_file_names(problem)["report"], _json(report).encode())
        faults = _add_pdfs(made, program, files) if program is not None else []
        files.commit()
        print(f"wrote to {options.output}:")
        for name in files.staged:
            print(f"  {name}")
    _print_report(report)
    for fault in faults:
        print(f"  page fault: {fault}")
    if program is None and options.pdf is not False:
        print(ADVICE)
        if options.pdf:
            return BAD
    return GOOD if report.agree and not faults else FOUND


def _latex(options: argparse.Namespace) -> int:
    problem = load(options.spec)
    language = options.language or problem.languages[0]
    with progress("deriving and writing"):
        text = make(problem, [language], _weights(options)).texts[language]
    if options.output is None:
        if options.pdf:
            raise InputError("--pdf needs --output FILE to know where to put the PDF")
        sys.stdout.write(text)
        return GOOD
    if options.pdf and options.output.suffix == ".pdf":
        raise InputError("--output names the LaTeX file; the PDF is put beside it")
    if options.pdf:
        return _with_pdf(options.output, text)
    _write(options.output, text.encode())
    return GOOD


def _with_pdf(page: Path, text: str) -> int:
    """Write a page and its PDF, both or none; but a page that has no PDF may tell why."""
    program = engine()
    try:
        if program is None:
            raise InputError(ADVICE)
        made = _typeset(text, program)
    except InputError:
        _write(page, text.encode())
        raise
    with Files(page.parent) as files:
        files.add(page.name, text.encode())
        files.add(page.with_suffix(".pdf").name, made.pdf)
        files.commit()
        for name in files.staged:
            print(f"wrote {page.parent / name}")
    for fault in made.faults:
        print(f"page fault: {fault}", file=sys.stderr)
    return FOUND if made.faults else GOOD


def _weights(options: argparse.Namespace) -> list[str]:
    """The weights to tell of; none for all."""
    if options.weights is None:
        return []
    weights = [weight.strip() for weight in options.weights.split(",") if weight.strip()]
    if not weights:
        raise InputError("--weights needs names of weights, such as w1,w5")
    return weights


def _code(options: argparse.Namespace) -> int:
    problem = load(options.spec)
    text = module(problem, differentiate(problem.graph, problem.wanted), options.target)
    if options.output is None:
        sys.stdout.write(text)
    else:
        _write(options.output, text.encode())
    return GOOD


def _verify(options: argparse.Namespace) -> int:
    problem = _loaded(options.spec)
    with progress("deriving and verifying"):
        made = make(problem)
        report = made.verify()
        if options.kernel:
            report = replace(report, routes=(*report.routes, made.kernel))
    if options.json:
        sys.stdout.write(_json(report))
    else:
        _print_report(report)
    return GOOD if report.agree else FOUND


def _certify(options: argparse.Namespace) -> int:
    return certify_made(make(_loaded(options.spec)), options)


def _explain(options: argparse.Namespace) -> int:
    if len(options.names) > 2:
        raise InputError("explain takes a spec and a weight, or only a weight")
    *spec, name = options.names
    problem = _loaded(spec[0] if spec else DEFAULT)
    derivation = differentiate(problem.graph, problem.wanted)
    told: Iterable[str]
    with progress("deriving"):
        if options.order == 2:
            told = list(explain_second_order(derivation, name))
        elif problem.is_model:
            told = explain_model(problem, derivation, name)
        else:
            told = explain(problem, derivation, name)
    for line in told:
        print(line)
    return GOOD


def _layers(options: argparse.Namespace) -> int:
    for line in listing() if options.name is None else shown(options.name):
        print(line)
    return GOOD


def _new(options: argparse.Namespace) -> int:
    text = scaffold(options.layer, options.network)
    if options.file is None:
        sys.stdout.write(text)
        return GOOD
    if options.file.exists():
        raise InputError(f"'{options.file}' is already there")
    write(options.file, text.encode())
    print(f"wrote {options.file}; try: derive verify {options.file}")
    return GOOD


def _reference(_: argparse.Namespace) -> int:
    sys.stdout.write(reference())
    return GOOD


def _schema(_: argparse.Namespace) -> int:
    sys.stdout.write(json.dumps(Spec.model_json_schema(), indent=1, ensure_ascii=False) + "\n")
    return GOOD


# --- files ----------------------------------------------------------------------------------


def _stem(problem: Problem) -> str:
    """What the names of all files begin with: that of the spec, without what steers a path."""
    return "".join("_" if c in r"\/:" or not c.isprintable() else c for c in problem.name)


def _file_names(problem: Problem) -> dict[str, str]:
    stem = _stem(problem)
    names = {f"tex {language}": f"{stem}.{language}.tex" for language in ("ko", "en")}
    names |= {f"code {target.name}": f"{stem}{target.suffix}" for target in TARGETS.values()}
    return {**names, "report": f"{stem}.report.json"}


def _texts(made: Made) -> dict[str, str]:
    names = _file_names(made.problem)
    texts = {names[f"tex {language}"]: text for language, text in made.texts.items()}
    return texts | {names[f"code {target}"]: text for target, text in made.modules.items()}


def _add_pdfs(made: Made, program: str, files: Files) -> list[str]:
    """Add the PDFs; returns what is wrong with them, a PDF that could not be made included."""
    faults = []
    for language, text in made.texts.items():
        try:
            done = _typeset(text, program)
        except InputError as error:
            faults.append(f"{language}: {error}")
        else:
            files.add(f"{_stem(made.problem)}.{language}.pdf", done.pdf)
            faults += [f"{language}: {fault}" for fault in done.faults]
    return faults


def _typeset(text: str, program: str) -> Typeset:
    try:
        with progress("typesetting"):
            return typeset(text, program)
    except TypesetError as error:
        raise InputError(f"the PDF could not be made: {error}") from None


def _read_back(made: Made, files: Files) -> Report:
    """Verify the files as they lie on the disk, not what was meant to be written."""
    names = _file_names(made.problem)
    return made.verify(
        {language: files.read(names[f"tex {language}"]) for language in made.texts},
        {target: files.read(names[f"code {target}"]) for target in made.modules},
    )


def _write(path: Path, data: bytes) -> None:
    """Write a file that was asked for by name, and say so."""
    write(path, data)
    print(f"wrote {path}")


def _json(report: Report) -> str:
    return json.dumps(report.as_json(), indent=1, ensure_ascii=False) + "\n"


def _print_report(report: Report) -> None:
    print("verified:" if report.agree else "verification found something:")
    for line in lines(report):
        print(printable(line))
