"""The commands that write pages: all that is made of a spec, or the page alone."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from derive.api import load
from derive.certify import ADVICE as ADVICE_OF_COQ
from derive.certify import CheckError, check, checker
from derive.certify.route import refused
from derive.certify.run import Unfinished
from derive.commands.shared import as_text, loaded, print_report, put, written
from derive.edge import BAD, FOUND, GOOD, progress
from derive.emit import USUAL
from derive.errors import InputError, printable
from derive.files import Files, read_bytes, write
from derive.languages import LANGUAGES
from derive.pipeline import Made, make
from derive.problem import Problem
from derive.render.markdown import beside, passages
from derive.theme import Logo, load_theme
from derive.typeset import ADVICE, NOTHING, Typeset, TypesetError, engine, typeset
from derive.verify.report import Report


def build(options: argparse.Namespace) -> int:
    """Write the pages, the modules and the report."""
    problem = loaded(options.spec, options.run)
    with progress("deriving and writing"):
        made = make(problem, options.language or ())
        texts = _texts(made)
    program = engine() if options.pdf is not False else None
    with Files(options.output) as files:
        for name, text in texts.items():
            files.add(name, text.encode())
        with progress("verifying"):
            report = _read_back(made, files)
        files.add(_file_names(problem)["report"], as_text(report).encode())
        faults = _add_pdfs(made, program, files) if program is not None else []
        files.commit()
        print(f"wrote to {options.output}:")
        for name in files.staged:
            print(f"  {name}")
    print_report(report)
    for fault in faults:
        print(f"  page fault: {fault}")
    if program is None and options.pdf is not False:
        print(ADVICE)
        if options.pdf:
            return BAD
    return GOOD if report.agree and not faults else FOUND


def latex(options: argparse.Namespace) -> int:
    """Write the page."""
    problem = load(options.spec, options.run)
    language = options.language or problem.languages[0]
    file, theme = options.certificate, load_theme(options.theme)
    with progress("deriving and writing"):
        certificate = file.name if file else ""
        made = make(problem, [language], _weights(options), certificate, theme, options.show)
        text = made.texts[language]
    if file is not None and not _proven(made, file, options.output is None):
        return FOUND
    return put_latex(text, options.output, options.pdf, theme.logo)


def put_latex(text: str, output: Path | None, pdf: bool, logo: Logo | None = None) -> int:
    """Write a document in LaTeX with its logo, and its PDF if that is asked for, or print it."""
    if output is None:
        if pdf:
            raise InputError("--pdf needs --output FILE to know where to put the PDF")
        put(text, output)
        return GOOD
    if logo is not None:
        _beside(output, logo)
    if not pdf:
        written(output, text.encode())
        return GOOD
    if output.suffix == ".pdf":
        raise InputError("--output names the LaTeX file; the PDF is put beside it")
    return _with_pdf(output, text, {logo.name: logo.data} if logo is not None else {})


def _beside(output: Path, logo: Logo) -> None:
    """Put the logo where the document looks for it; another file of its name is left alone."""
    place = output.parent / logo.name
    try:
        there = read_bytes(place, "logo", len(logo.data))
    except FileNotFoundError:
        written(place, logo.data)
        return
    if there != logo.data:
        raise InputError(
            f"{place} is another file than the logo of the theme; give one another name"
        )


def markdown(options: argparse.Namespace) -> int:
    """Write the page in Markdown, its pictures in files beside it."""
    theme = load_theme(options.theme)
    problem = load(options.spec, options.run)
    with progress("deriving and writing"):
        page, output = make(problem, shown=options.show).page, options.output
        link = beside(output.stem) if output is not None else None
        document = passages(page, options.language or problem.languages[0], link, theme)
    if output is None:
        put(document.text, output)
        return GOOD
    with Files(output.parent) as files:
        files.add(output.name, document.text.encode())
        for name, drawn in document.pictures.items():
            files.add(f"{output.stem}-{name}.svg", drawn.encode())
        files.commit()
        for name in files.staged:
            print(f"wrote {output.parent / name}")
    return GOOD


def notebook(options: argparse.Namespace) -> int:
    """Write the page as a notebook that computes its own numbers."""
    theme = load_theme(options.theme)
    made = make(load(options.spec, options.run), theme=theme, shown=options.show)
    with progress("deriving and writing"):
        text = made.notebook(options.language or made.problem.languages[0], options.target)
    put(text, options.output)
    return GOOD


def _proven(made: Made, file: Path, quiet: bool) -> bool:
    """Have the certificate of a page checked, and write it if it is right.

    A page may not say that something is proven if nothing has checked it.
    """
    if not made.page.proven:
        raise InputError(
            "no equation of this page has a theorem of its own that it could be marked"
        )
    program = checker()
    if program is None:
        raise InputError(ADVICE_OF_COQ)
    try:
        with progress("checking"):
            check(made.certificate.text, program)
    except Unfinished as error:
        words = f"the page was not written, for its certificate was not checked: {error}"
        raise InputError(words) from None
    except CheckError as error:
        print(printable(f"the kernel {refused(made.certificate, error)}"), file=sys.stderr)
        return False
    write(file, made.certificate.text.encode())
    print(f"wrote {file}", file=sys.stderr if quiet else sys.stdout)
    return True


def _with_pdf(page: Path, text: str, beside: Mapping[str, bytes]) -> int:
    """Write a page and its PDF, both or none; but a page that has no PDF may tell why."""
    program = engine()
    try:
        if program is None:
            raise InputError(ADVICE)
        made = _typeset(text, program, beside)
    except InputError:
        written(page, text.encode())
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


def _stem(problem: Problem) -> str:
    """What the names of all files begin with: that of the spec, without what steers a path."""
    return "".join("_" if c in r"\/:" or not c.isprintable() else c for c in problem.name)


def _file_names(problem: Problem) -> dict[str, str]:
    stem = _stem(problem)
    names = {f"tex {language}": f"{stem}.{language}.tex" for language in LANGUAGES}
    names |= {f"code {target.name}": f"{stem}{target.suffix}" for target in USUAL.values()}
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


def _typeset(text: str, program: str, beside: Mapping[str, bytes] = NOTHING) -> Typeset:
    try:
        with progress("typesetting"):
            return typeset(text, program, beside)
    except TypesetError as error:
        raise InputError(f"the PDF could not be made: {error}") from None


def _read_back(made: Made, files: Files) -> Report:
    """Verify the files as they lie on the disk, not what was meant to be written."""
    names = _file_names(made.problem)
    return made.verify(
        {language: files.read(names[f"tex {language}"]) for language in made.texts},
        {target: files.read(names[f"code {target}"]) for target in made.modules},
    )
