"""The command line, and the only place that reads and writes the user's files."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from derive import __version__, load
from derive.backprop import differentiate
from derive.emit import TARGETS, emit
from derive.errors import InputError
from derive.pipeline import Made, make
from derive.problem import Problem
from derive.render.explain import explain
from derive.spec import builtin_names
from derive.typeset import ADVICE, Typeset, TypesetError, engine, typeset
from derive.verify import Report
from derive.verify.report import lines

DEFAULT = "article"
GOOD, FOUND, BAD = 0, 1, 2
Command = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. 0: good; 1: a check found something; 2: bad input."""
    options = _parser().parse_args(arguments)
    try:
        command: Command = options.command
        return command(options)
    except InputError as error:
        print(f"derive: {error}", file=sys.stderr)
        return BAD
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return GOOD


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
    check = add("verify", _verify, "check every number by independent routes")
    _spec(check)
    check.add_argument("--json", action="store_true", help="print the report as JSON")
    tell = add("explain", _explain, "show the derivation of one weight in the terminal")
    tell.add_argument("names", nargs="+", metavar="[SPEC] WEIGHT")
    return parser


def _spec(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "spec",
        nargs="?",
        default=DEFAULT,
        metavar="SPEC",
        help=f"a spec file or built-in spec (default: {DEFAULT})",
    )


# --- commands -------------------------------------------------------------------------------


def _build(options: argparse.Namespace) -> int:
    problem = load(options.spec)
    made = make(problem, options.language or ())
    program = engine() if options.pdf is not False else None
    files = _texts(made)
    _write_all({options.output / name: text.encode() for name, text in files.items()})
    faults: list[str] = []
    if program is not None:
        pdfs, faults = _pdfs(made, program)
        _write_all({options.output / name: data for name, data in pdfs.items()})
    report = _read_back(made, options.output)
    names = _file_names(problem)
    _write_all(
        {
            options.output / names["report"]: (
                json.dumps(report.as_json(), indent=1, ensure_ascii=False) + "\n"
            ).encode()
        }
    )
    print(f"wrote to {options.output}:")
    for name in [*files, *(pdfs if program is not None else ()), names["report"]]:
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
    weights = [w.strip() for w in (options.weights or "").split(",") if w.strip()]
    text = make(problem, [language], weights).texts[language]
    if options.output is None:
        if options.pdf:
            raise InputError("--pdf needs --output FILE to know where to put the PDF")
        sys.stdout.write(text)
        return GOOD
    _write_all({options.output: text.encode()})
    if options.pdf:
        program = engine()
        if program is None:
            raise InputError(ADVICE)
        made = _typeset(text, program)
        _write_all({options.output.with_suffix(".pdf"): made.pdf})
        for fault in made.faults:
            print(f"page fault: {fault}", file=sys.stderr)
        return FOUND if made.faults else GOOD
    return GOOD


def _code(options: argparse.Namespace) -> int:
    problem = load(options.spec)
    text = emit(problem, differentiate(problem.graph), options.target)
    if options.output is None:
        sys.stdout.write(text)
    else:
        _write_all({options.output: text.encode()})
    return GOOD


def _verify(options: argparse.Namespace) -> int:
    report = make(load(options.spec)).verify()
    if options.json:
        print(json.dumps(report.as_json(), indent=1, ensure_ascii=False))
    else:
        _print_report(report)
    return GOOD if report.agree else FOUND


def _explain(options: argparse.Namespace) -> int:
    if len(options.names) > 2:
        raise InputError("explain takes a spec and a weight, or only a weight")
    *spec, weight = options.names
    problem = load(spec[0] if spec else DEFAULT)
    for line in explain(problem, differentiate(problem.graph), weight):
        print(line)
    return GOOD


# --- files ----------------------------------------------------------------------------------


def _file_names(problem: Problem) -> dict[str, str]:
    names = {f"tex {language}": f"{problem.name}.{language}.tex" for language in ("ko", "en")}
    names |= {
        f"code {target.name}": f"{problem.name}{target.suffix}" for target in TARGETS.values()
    }
    return {**names, "report": f"{problem.name}.report.json"}


def _texts(made: Made) -> dict[str, str]:
    names = _file_names(made.problem)
    texts = {names[f"tex {language}"]: text for language, text in made.texts.items()}
    return texts | {names[f"code {target}"]: text for target, text in made.modules.items()}


def _pdfs(made: Made, program: str) -> tuple[dict[str, bytes], list[str]]:
    pdfs, faults = {}, []
    for language, text in made.texts.items():
        done = _typeset(text, program)
        pdfs[f"{made.problem.name}.{language}.pdf"] = done.pdf
        faults += [f"{language}: {fault}" for fault in done.faults]
    return pdfs, faults


def _typeset(text: str, program: str) -> Typeset:
    try:
        return typeset(text, program)
    except TypesetError as error:
        raise InputError(f"the PDF could not be made: {error}") from None


def _read_back(made: Made, folder: Path) -> Report:
    """Verify the files as they lie on the disk, not what was meant to be written."""
    names = _file_names(made.problem)
    texts = {
        language: (folder / names[f"tex {language}"]).read_text("utf-8") for language in made.texts
    }
    modules = {
        target: (folder / names[f"code {target}"]).read_text("utf-8") for target in made.modules
    }
    return made.verify(texts, modules)


def _write_all(files: Mapping[Path, bytes]) -> None:
    """Write files whole or not at all: each is complete before any takes its place."""
    staged: list[tuple[str, Path]] = []
    try:
        for path, data in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                raise InputError(f"'{path}' is a folder")
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
            staged.append((name, path))
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.chmod(name, 0o666 & ~_umask())
        for name, path in staged:
            os.replace(name, path)
    except OSError as error:
        raise InputError(f"cannot write '{error.filename or path}': {error.strerror}") from None
    finally:
        for name, _ in staged:
            Path(name).unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _print_report(report: Report) -> None:
    print("verified:" if report.agree else "verification found something:")
    for line in lines(report):
        print(line)
