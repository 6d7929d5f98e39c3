"""One window as a picture: what a result is computed of, and where a derivative comes from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from itertools import product

from derive.expression import Element, Index
from derive.graph import adjoint_name
from derive.render.model_form import ModelForm
from derive.render.pictures.drawn import Picture
from derive.render.pictures.grids import Grid, side_by_side
from derive.render.pictures.windows import (
    Place,
    Window,
    chosen_position,
    chosen_result,
    covering,
    in_slice,
    ordered,
    positions,
)
from derive.render.placement import on_one_line
from derive.render.tensor_values import ranked
from derive.render.worked import Bench

TIMES = r"\odot"
NOTHING = "-"  # beyond an edge, where nothing counts


@dataclass(frozen=True)
class Shown:
    """A picture of one window, and what there is to say of it.

    `left` and `right` are what it leads from and to; `partly` is a kernel of which not all meets
    something, and `outside` says whether zeros are read beyond an edge.
    """

    picture: Picture
    left: str
    right: str
    kernel: str
    flipped: bool
    partly: bool
    outside: bool
    sent: bool
    winners: bool
    slices: bool
    summed: tuple[Index, ...]


@dataclass(frozen=True)
class WindowFigure:
    """Draws one window of a model; `back` is the picture of the derivatives."""

    form: ModelForm
    bench: Bench | None
    window: Window
    back: bool
    won: Mapping[Place, Place] = field(default_factory=dict)

    def shown(self) -> Shown | None:
        """The picture; None if there is no room for it."""
        if self.window.largest is not None and self.back:
            return self._sent() if self.won else None
        return self._scattered() if self.window.transposed != self.back else self._gathered()

    # --- the three kinds ------------------------------------------------------------------------

    def _gathered(self) -> Shown | None:
        """From a window of the large tensor to one entry of the small one."""
        window, at = self.window, chosen_result(self.window)
        held = positions(window, at)
        reach = [side.reach for side in window.sides]
        large = self._grid(self._large, reach, held, frozenset(self.won.values()))
        small = self._grid(self._small, self._results(), [at])
        kernel = self._grid_of_kernel(held.values(), False)
        return self._told([large, *kernel, small], bool(kernel), False, held)

    def _scattered(self) -> Shown | None:
        """From the entries of the small tensor whose windows hold one of the large one."""
        window, at = self.window, chosen_position(self.window)
        held = covering(window, at)
        reach = [
            range(min(0, *us), max(s.results - 1, *us) + 1)
            for s, us in zip(window.sides, zip(*held, strict=True), strict=True)
        ]
        small = self._grid(self._small, reach, held)
        large = self._grid(self._large, [range(s.size) for s in window.sides], [at])
        kernel = self._grid_of_kernel(held.values(), True)
        return self._told([small, *kernel, large], bool(kernel), True, held)

    def _sent(self) -> Shown | None:
        """From one entry of the small tensor to the largest of its window."""
        at = chosen_result(self.window)
        small = self._grid(self._small, self._results(), [at])
        sizes = [range(side.size) for side in self.window.sides]
        rings = frozenset(self.won.values())
        large = self._grid(self._large, sizes, [self.won[at]], rings)
        return self._told([small, large], False, False, {})

    def _told(
        self, grids: list[Grid], kernel: bool, flipped: bool, held: Mapping[Place, Place]
    ) -> Shown | None:
        arrow = "flow back" if self.back else "flow"
        picture = side_by_side(grids, [TIMES] if kernel else [], arrow)
        if picture is None:
            return None
        window = self.window
        sizes = [s.results if flipped else s.size for s in window.sides]
        outside = any(not 0 <= k < n for at in held for k, n in zip(at, sizes, strict=True))
        every = 1
        for side in window.sides:
            every *= side.length
        left, right = (self._small, self._large) if flipped else (self._large, self._small)
        sent = window.largest is not None and self.back
        if sent:
            left, right = right, left
        shown = [self._large, self._small, *([window.kernel] if window.kernel else [])]
        return Shown(
            picture,
            self._whole(left.name),
            self._whole(right.name),
            self._whole(window.kernel.name) if kernel and window.kernel is not None else "",
            flipped and any(s.spread * s.step > 0 and s.length > 1 for s in window.sides),
            len(held) < every,
            outside,
            sent,
            bool(self.won),
            any(len(e.indices) > len(self._axes(e)) for e in shown),
            self._summed if kernel else (),
        )

    # --- grids ----------------------------------------------------------------------------------

    @property
    def _summed(self) -> tuple[Index, ...]:
        """Letters over which is summed beside those of the window."""
        window = self.window
        if not self.back:
            found: tuple[Index, ...] = window.others
        else:
            read = window.small if window.transposed else window.large
            result = window.large if window.transposed else window.small
            moved = [s.large if window.transposed else s.small for s in window.sides]
            left = [i for k, i in enumerate(result.indices) if k not in moved]
            found = tuple(i for i in left if i not in read.free_symbols)
        return tuple(i for i in found if i.axis.length > 1)

    @property
    def _large(self) -> Element:
        return self._turned(self.window.large)

    @property
    def _small(self) -> Element:
        return self._turned(self.window.small)

    def _turned(self, element: Element) -> Element:
        """An element or, on the way back, the derivative by it."""
        return Element(adjoint_name(element.name), *element.indices) if self.back else element

    def _results(self) -> list[range]:
        return [range(side.results) for side in self.window.sides]

    def _axes(self, element: Element) -> list[int]:
        """The places of an element over which a window moves, in the order of its sides."""
        sides = self.window.sides
        if element == self.window.kernel:
            return [side.kernel for side in sides if side.kernel is not None]
        if element == self._large:
            return [side.large for side in sides]
        return [side.small for side in sides if side.small is not None]

    def _grid(
        self,
        element: Element,
        reach: list[range],
        marked: Collection[Place],
        ringed: frozenset[Place] = frozenset(),
    ) -> Grid:
        axes = self._axes(element)
        sides = self.window.sides
        large = element == self._large
        sizes = [side.size if large else side.results for side in sides]
        mark = "reached" if self.back else "chosen"
        beyond = NOTHING if self.window.guarded else "0"

        def look(place: Place) -> str:
            inside = all(0 <= k < n for k, n in zip(place, sizes, strict=True))
            if place in marked:
                return mark if inside else f"{mark}, beyond"
            return "cell" if inside else "beyond"

        def text(place: Place) -> str:
            inside = all(0 <= k < n for k, n in zip(place, sizes, strict=True))
            return self._text(element, axes, place) if inside else beyond

        rows, columns, place = _arranged(reach)
        return Grid(self._title(element, axes), rows, columns, place, text, look, ringed)

    def _grid_of_kernel(self, used: Collection[Place], flipped: bool) -> list[Grid]:
        """The kernel, turned around if its window is looked at from the other side."""
        kernel = self.window.kernel
        if kernel is None:
            return []
        met, axes = {*used}, self._axes(kernel)
        mark = "reached" if self.back else "chosen"
        reach = [range(side.length) for side in self.window.sides]
        if flipped:
            turns = [side.spread * side.step > 0 for side in self.window.sides]
            reach = [r[::-1] if turn else r for r, turn in zip(reach, turns, strict=True)]
        rows, columns, place = _arranged(reach)
        return [
            Grid(
                self._title(kernel, axes),
                rows,
                columns,
                place,
                lambda at: self._text(kernel, axes, at),
                lambda at: mark if at in met else "cell",
            )
        ]

    def _title(self, element: Element, axes: list[int]) -> str:
        """The symbol of a tensor or of one slice of it."""
        places = [":" if k in axes else str(at) for k, at in enumerate(in_slice(element))]
        if len(axes) == len(places):
            places = []
        return on_one_line(self.form.symbol(element.name, places))

    def _text(self, element: Element, axes: list[int], place: Place) -> str:
        """A number of the page; nothing where it has none."""
        if self.bench is None:
            return ""
        at = [*in_slice(element)]
        for axis, k in zip(axes, place, strict=False):
            at[axis] = k
        key = element.name, tuple(at)
        return self.bench.values.tex(key) if key in self.bench.values.texts else ""

    def _whole(self, name: str) -> str:
        back = name.startswith(adjoint_name(""))
        return on_one_line(self.form.symbol(name)) if back else self.form.whole(name)


def won_by(bench: Bench | None, window: Window) -> dict[Place, Place]:
    """The position of the largest in each window of a slice; none where rounding decides."""
    if window.largest is None or bench is None:
        return {}
    zero = dict.fromkeys(window.equation.indices, 0)
    found: dict[Place, Place] = {}
    for us in product(*(range(side.results) for side in window.sides)):
        bound = dict(zero)
        for side, u in zip(window.sides, us, strict=True):
            if side.small is not None:
                bound[window.equation.indices[side.small]] = u
        exact, page = (
            ranked(window.largest)(table, bound)[0]
            for table in (bench.values.exact, bench.values.page)
        )
        if exact != page:
            return {}
        within = ordered(window, dict(zip(window.largest.bound, exact, strict=True)))
        found[us] = tuple(s.at(u, r) for s, u, r in zip(window.sides, us, within, strict=True))
    return found


def _arranged(reach: list[range]) -> tuple[range, range, Callable[[int, int], Place]]:
    """Rows and columns; a single side lies along the columns."""
    if len(reach) == 1:
        return range(1), reach[0], lambda row, column: (column,)
    return reach[0], reach[1], lambda row, column: (row, column)
