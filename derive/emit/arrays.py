"""Whole arrays: an index equation as matrix products, broadcasting and sums over axes.

Every piece of code carries the order of its indices. Pieces meet after they have been brought to a
common order with `.T` and `None`; a sum of a product becomes `@` where the indices allow it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod

import sympy

from derive.emit.arithmetic import Code, Level, number, operation, total
from derive.emit.arithmetic import product as product_of
from derive.emit.dialect import Dialect
from derive.emit.names import code_name
from derive.emit.program import Assignment
from derive.emit.prose import length
from derive.emit.tree import (
    Constant,
    EmitError,
    Fold,
    How,
    Node,
    Number,
    Pick,
    Position,
    Product,
    Read,
    Reduce,
    Same,
    Within,
)
from derive.emit.views import (
    Fixed,
    Guard,
    divided_letter,
    fixed_text,
    is_fixed,
    laid_out,
    together,
    viewed,
)
from derive.expression import Index

Order = tuple[Index, ...]
OF_FEW: Mapping[str, str] = {"sum": "few_total", "max": "few_largest"}
FEW, MANY = 16, 1000  # values that meet, and how often


@dataclass(frozen=True)
class Block:
    """An array: its code, and which index each of its axes stands for."""

    code: Code
    order: Order = ()


@dataclass(frozen=True)
class Arrays:
    """How arrays of one target are written; letters that are fixed are variables of the code."""

    dialect: Dialect
    fixed: Fixed = field(default_factory=dict)

    def indicator(self, guard: str, comparisons: Sequence[str]) -> Code:
        """1 where a condition on fixed letters holds, else 0."""
        if self.dialect.traced:
            return self.dialect.indicator(together(comparisons))
        return Code(f"float({guard})")


def assigned(assignment: Assignment, arrays: Arrays) -> str:
    """The right side for all places that are not fixed; an axis that is missing is broadcast."""
    wanted = tuple(loop.index for loop in assignment.loops if loop.index not in arrays.fixed)
    return align(block_of(assignment.value, wanted, arrays), wanted, arrays).text


def vectorised(assignment: Assignment, arrays: Arrays) -> str:
    """The right side of an assignment for whole arrays. Raises EmitError if it has no such form."""
    wanted = tuple(loop.index for loop in assignment.loops)
    block = block_of(assignment.value, wanted, arrays)
    missing = [index for index in wanted if index not in block.order]
    if not missing:
        return align(block, wanted, arrays).text
    text = align(block, wanted, arrays).text
    return arrays.dialect.spread(text, [length(loop.axis) for loop in assignment.loops])


def block_of(node: Node, scope: Order, arrays: Arrays) -> Block:
    """A tree as a block; `scope` holds all indices in the order preferred for the result."""
    found = operation(node, arrays.dialect.heads)
    if found is not None:
        operands, join = found
        blocks = [block_of(operand, scope, arrays) for operand in operands]
        order = union(blocks, scope)
        return Block(join(*[align(block, order, arrays) for block in blocks]), order)
    match node:
        case Number():
            return Block(number(node))
        case Constant():
            return Block(Code(arrays.dialect.constants[node.name], Level.NAME))
        case Read():
            return _read(node, arrays)
        case Position() if is_fixed(node.index, arrays.fixed):
            level = Level.SUM if isinstance(node.index, sympy.Add) else Level.NAME
            return Block(Code(fixed_text(node.index, arrays.fixed), level))
        case Position() if (letter := divided_letter(node.index)) is not None:
            places = arrays.dialect.places(length(letter.axis))
            text = Code(fixed_text(node.index, {letter: places}), Level.SUM)
            return Block(arrays.dialect.counted(text), (letter,))
        case Position():
            index = _plain(node.index)
            return Block(Code(arrays.dialect.numbers(str(index.axis.length))), (index,))
        case Within():
            guard = Guard(fixed_text(node.position, arrays.fixed), True, str(node.size))
            return Block(arrays.indicator(str(guard), [*guard.comparisons()]))
        case Same() if all(is_fixed(p, arrays.fixed) for p in (node.left, node.right)):
            left, right = (fixed_text(p, arrays.fixed) for p in (node.left, node.right))
            return Block(arrays.indicator(f"{left} == {right}", [f"{left} == {right}"]))
        case Same():
            return _same(node, arrays)
        case Reduce(how=How.TOTAL):
            return _total(node, scope, arrays)
        case Reduce():
            return _reduced(node, scope, arrays)
        case Pick():
            return _picked(node, scope, arrays)
        case Fold():
            return _laid(node, scope, arrays)
    raise EmitError(f"{node} has no form for whole arrays")


def union(blocks: Iterable[Block], scope: Order) -> Order:
    """All indices of some blocks: in the order of a block that has them all, or as preferred."""
    blocks = list(blocks)
    present = {index for block in blocks for index in block.order}
    for block in blocks:
        if len(block.order) == len(present):
            return block.order
    return tuple(index for index in scope if index in present)


def align(block: Block, order: Order, arrays: Arrays) -> Code:
    """A block with its axes in this order, and an axis of length 1 for each index that it lacks."""
    code = block.code
    present = tuple(index for index in order if index in block.order)
    if len(present) != len(block.order):
        raise EmitError(f"'{code.text}' has an index that its equation does not bind")
    if present != block.order:
        places = ", ".join(str(block.order.index(index)) for index in present)
        atom = code.at(Level.CALL)
        turned = f"{atom}.T" if len(present) == 2 else arrays.dialect.permuted(atom, places)
        code = Code(turned)
    if not present:
        return code
    rest = order[order.index(present[0]) :]
    if len(rest) == len(present):
        return code
    slots = ", ".join(":" if index in present else "None" for index in rest)
    return Code(f"{code.at(Level.CALL)}[{slots}]")


def _plain(position: sympy.Expr) -> Index:
    if not isinstance(position, Index):
        raise EmitError(f"the index '{position}' is not a plain letter; arrays cannot be shifted")
    return position


def _read(node: Read, arrays: Arrays) -> Block:
    """A quantity; an index that is a number picks a slice."""
    for position, axis in zip(node.indices, node.axes, strict=True):
        if position.is_Integer and not 0 <= position < axis.size:
            return Block(Code("0.0", Level.NAME))
    return Block(*viewed(node, code_name(node.name), arrays.dialect, arrays.fixed))


def _laid(node: Fold, scope: Order, arrays: Arrays) -> Block:
    """A body with the letters of its folds, laid on the places of the result."""
    places = {laid.index: laid for laid in node.places}
    expanded = {i: tuple(loop.index for loop, _ in laid.terms) for i, laid in places.items()}
    wanted = tuple(letter for i in scope for letter in expanded.get(i, (i,)))
    block = block_of(node.body, wanted, arrays)
    needed = {letter for letters in expanded.values() for letter in letters}
    order = tuple(i for i in scope if i in places or i in block.order)
    inner = tuple(letter for i in order for letter in expanded.get(i, (i,)))
    code = align(block, inner, arrays)
    if not needed <= set(block.order):
        code = Code(arrays.dialect.spread(code.text, [length(i.axis) for i in inner]))
    return Block(laid_out(code, order, places, arrays.dialect), order)


def _same(node: Same, arrays: Arrays) -> Block:
    """The identity matrix, or one row of it where a position is a number."""
    fixed = [position for position in (node.left, node.right) if position.is_Integer]
    order = tuple(_plain(p) for p in (node.left, node.right) if not p.is_Integer)
    row = f"[{fixed[0]}]" if fixed else ""
    return Block(Code(f"{arrays.dialect.identity(order[0].axis.length)}{row}"), order)


def _total(node: Reduce, scope: Order, arrays: Arrays) -> Block:
    """A sum over one or more indices."""
    loops, body = list(node.loops), node.body
    while isinstance(body, Reduce) and body.how is How.TOTAL:
        loops, body = [*loops, *body.loops], body.body
    inner = (*scope, *(loop.index for loop in loops))
    factors = body.above if isinstance(body, Product) and not body.below else (body,)
    blocks = [block_of(factor, inner, arrays) for factor in factors]
    plain = [block.code for block in blocks if not block.order]
    blocks = [block for block in blocks if block.order]
    present = {index for block in blocks for index in block.order}
    for loop in loops:
        if loop.index not in present:
            plain.append(Code(length(loop.axis), Level.NAME))
    bound = tuple(loop.index for loop in loops if loop.index in present)
    if not blocks:
        return Block(product_of(plain, ()))
    summed = _contracted(blocks, bound, inner, arrays)
    return Block(product_of([*plain, summed.code], ()), summed.order)


def _contracted(blocks: list[Block], bound: Order, scope: Order, arrays: Arrays) -> Block:
    """The product of some blocks, summed over the bound indices."""
    order = union(blocks, scope)
    if len(blocks) > 2:
        blocks = _multiplied(blocks, arrays)
    if len(blocks) == 2:
        for way in (_matrix_product, _stacked_product, _tensor_product):
            found = way(blocks[0], blocks[1], bound, scope, arrays)
            if found is not None:
                return found
    if len(blocks) > 1 and all(set(block.order) != set(order) for block in blocks):
        return _einsum(blocks, bound, scope, arrays)
    code = product_of([align(block, order, arrays) for block in blocks], ())
    return along("sum", Block(code, order), bound, arrays)


def _multiplied(blocks: list[Block], arrays: Arrays) -> list[Block]:
    """Blocks with the same indices multiplied entry by entry, so that fewer are summed over."""
    found: dict[frozenset[Index], list[Block]] = {}
    for block in blocks:
        found.setdefault(frozenset(block.order), []).append(block)
    return [
        Block(
            product_of([align(block, same[0].order, arrays) for block in same], ()), same[0].order
        )
        for same in found.values()
    ]


def along(method: str, block: Block, bound: Order, arrays: Arrays) -> Block:
    """A method of an array that reduces some of its axes; a function if few of many values meet."""
    kept = tuple(index for index in block.order if index not in bound)
    if len(kept) == len(block.order):
        return block
    axes = [k for k, index in enumerate(block.order) if index in bound]
    few = prod(index.axis.length for index in block.order if index in bound)
    if few <= FEW and few * MANY <= prod(index.axis.length for index in block.order):
        places = f"({axes[0]},)" if len(axes) == 1 else f"({', '.join(map(str, axes))})"
        return Block(Code(f"{OF_FEW[method]}({block.code.text}, {places})"), kept)
    axis = str(axes[0]) if len(axes) == 1 else f"({', '.join(map(str, axes))})"
    argument = f"{arrays.dialect.along}={axis}" if kept else ""
    called = arrays.dialect.methods[method]
    return Block(Code(f"{block.code.at(Level.CALL)}.{called}({argument})"), kept)


def _matrix_product(
    left: Block, right: Block, bound: Order, scope: Order, arrays: Arrays
) -> Block | None:
    """`left @ right` with a matrix on at least one side; None if the sum is no such product.

    It comes in the order that the result is wanted in, transposed where needed.
    """
    left, right = _in_order(left, right, bound, scope)
    sizes = sorted(len(block.order) for block in (left, right))
    if set(left.order) & set(right.order) != set(bound) or len(bound) != 1 or sizes[0] > 2:
        return None
    if len(right.order) > 2:
        left, right = right, left
    first = tuple(i for i in left.order if i not in bound)
    last = tuple(i for i in right.order if i not in bound)
    if not first and not last:
        return None  # a sum has the type of a number
    text = (
        f"{align(left, (*first, *bound), arrays).at(Level.CALL)}"
        f" @ {align(right, (*bound, *last), arrays).at(Level.CALL)}"
    )
    return Block(Code(text, Level.PRODUCT), (*first, *last))


def _in_order(left: Block, right: Block, bound: Order, scope: Order) -> tuple[Block, Block]:
    """The block whose indices come first in the result, and the other one."""

    def first(block: Block) -> int:
        return min((scope.index(i) for i in block.order if i not in bound), default=-1)

    one, other = sorted((left, right), key=first)
    return one, other


def _stacked_product(
    left: Block, right: Block, bound: Order, scope: Order, arrays: Arrays
) -> Block | None:
    """Matrix products side by side, one for all values of the indices that both sides keep."""
    left, right = _in_order(left, right, bound, scope)
    kept = tuple(i for i in left.order if i in right.order and i not in bound)
    first = tuple(i for i in left.order if i not in (*kept, *bound))
    last = tuple(i for i in right.order if i not in (*kept, *bound))
    common = set(left.order) & set(right.order)
    if not kept or [len(first), len(last), len(bound)] != [1, 1, 1] or not common >= set(bound):
        return None
    text = (
        f"{align(left, (*kept, *first, *bound), arrays).at(Level.CALL)}"
        f" @ {align(right, (*kept, *bound, *last), arrays).at(Level.CALL)}"
    )
    return Block(Code(text, Level.PRODUCT), (*kept, *first, *last))


def _tensor_product(
    left: Block, right: Block, bound: Order, scope: Order, arrays: Arrays
) -> Block | None:
    """A product summed over all indices that both sides have, several at once."""
    if set(left.order) & set(right.order) != set(bound):
        return None
    if set(bound) in (set(left.order), set(right.order)):
        return None  # a sum with weights, not a product of matrices
    last = max(scope.index(i) for block in (left, right) for i in block.order if i not in bound)
    if scope[last] in left.order:  # what runs fastest in the result comes last
        left, right = right, left
    axes = [", ".join(str(block.order.index(i)) for i in bound) for block in (left, right)]
    axes = [f"({each},)" if len(bound) == 1 else f"({each})" for each in axes]
    operands = f"{left.code.text}, {right.code.text}"
    kept = tuple(i for block in (left, right) for i in block.order if i not in bound)
    return Block(Code(f"contracted({operands}, {', '.join(axes)})"), kept)


def _einsum(blocks: list[Block], bound: Order, scope: Order, arrays: Arrays) -> Block:
    """A sum of a product that is no matrix product."""
    order = union(blocks, scope)
    letter = dict(zip(order, "abcdefghijklmnopqrstuvwxyz", strict=False))
    kept = tuple(index for index in order if index not in bound)
    inputs = ",".join("".join(letter[index] for index in block.order) for block in blocks)
    output = "".join(letter[index] for index in kept)
    operands = ", ".join(block.code.text for block in blocks)
    return Block(Code(arrays.dialect.einsum(f"{inputs}->{output}", operands)), kept)


def _body(node: Reduce, scope: Order, arrays: Arrays) -> tuple[Block, Order]:
    """The body of a reduction that is no sum, and the indices to reduce."""
    bound = tuple(loop.index for loop in node.loops)
    block = block_of(node.body, (*scope, *bound), arrays)
    for loop in node.loops:
        if loop.index not in block.order:  # equal values along the axis are values all the same
            order = (*block.order, loop.index)
            zeros = Code(arrays.dialect.zero_row(length(loop.axis)))
            block = Block(total([(1, align(block, order, arrays)), (1, zeros)]), order)
    return block, bound


def _reduced(node: Reduce, scope: Order, arrays: Arrays) -> Block:
    block, bound = _body(node, scope, arrays)
    if node.how is How.LARGEST:
        return along("max", block, bound, arrays)
    axis = block.order.index(bound[0])
    kept = tuple(index for index in block.order if index not in bound)
    return Block(Code(f"log_sum_exp({block.code.text}, {arrays.dialect.along}={axis})"), kept)


def _picked(node: Pick, scope: Order, arrays: Arrays) -> Block:
    """An array of the shape of the body, with the positions in place of the reduced indices."""
    block, bound = _body(node.largest, scope, arrays)
    places = dict(zip(bound, map(_plain, node.positions), strict=True))
    axes = tuple(block.order.index(index) for index in bound)
    order = tuple(places.get(index, index) for index in block.order)
    if len(set(order)) < len(order):
        raise EmitError("the largest value is asked for at places that it depends on")
    return Block(Code(f"is_first_largest({block.code.text}, {axes})"), order)
