"""Eight numbers side by side: the lanes of the mains canceller, or the ticks of a hop.

Compiled, they are a vector of LLVM's, which becomes the processor's own: two of four numbers with AVX2, one of eight
with AVX-512. Each number goes through the same operations in the same order as it would alone, so no result depends on
the processor's width. Numba's own vectoriser gives up on such loops: it cannot know that an index is not negative.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.core.datamodel.models import PrimitiveModel
from numba.core.datamodel.registry import register_default
from numba.extending import intrinsic, lower_builtin, type_callable
from numba.np.arrayobj import make_array

WIDTH = 8

# What they mean, and what runs where numba compiles nothing (NUMBA_DISABLE_JIT).


def _load(array: Any, at: int) -> Any:
    """Eight elements from `at` on, counted from the first of a C-contiguous array of float64; not checked."""
    return array.reshape(-1)[at : at + WIDTH].copy()


def _store(array: Any, at: int, value: Any) -> None:
    """Put them there."""
    array.reshape(-1)[at : at + WIDTH] = value


def _splat(number: float) -> Any:
    """The number eight times."""
    return np.full(WIDTH, number)


def _total(these: Any) -> float:
    """Their sum: halves upon each other, three times."""
    four = these[:4] + these[4:]
    two = four[:2] + four[2:]
    return float(two[0] + two[1])


def _any_above(these: Any, those: Any) -> bool:
    """Whether any of these is above its neighbour in those."""
    return bool((these > those).any())


def _all_above(these: Any, those: Any) -> bool:
    """Whether each of these is above its neighbour in those."""
    return bool((these > those).all())


# The same as numba compiles it: a type, its sums and products, and the code of each function.

DOUBLE, LANE, BITS = ir.DoubleType(), ir.IntType(32), ir.IntType(WIDTH)
VECTOR = ir.VectorType(DOUBLE, WIDTH)


class Vector(types.Type):
    """The type of eight float64."""

    def __init__(self) -> None:
        super().__init__(name="Vector8")


@register_default(Vector)
class _Model(PrimitiveModel):
    def __init__(self, manager: Any, fe_type: Any) -> None:
        super().__init__(manager, fe_type, VECTOR)


vector = Vector()


def _arithmetic(sign: Any, instruction: str) -> None:
    @type_callable(sign)
    def typed(_: Any) -> Any:
        return lambda a, b: vector if a == b == vector else None

    @lower_builtin(sign, Vector, Vector)
    def code(_: Any, builder: Any, __: Any, args: Any) -> Any:
        return getattr(builder, instruction)(*args)


for _sign, _instruction in ((operator.add, "fadd"), (operator.sub, "fsub"), (operator.mul, "fmul")):
    _arithmetic(_sign, _instruction)


def _pointer(context: Any, builder: Any, signature: Any, array: Any, at: Any) -> Any:
    data = make_array(signature.args[0])(context, builder, array).data
    return builder.bitcast(builder.gep(data, [at], source_etype=DOUBLE), VECTOR.as_pointer())


def _load_code(_: Any, array: Any, at: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_pointer(context, builder, signature, *args), align=8, typ=VECTOR)

    return vector(array, types.intp), code


def _store_code(_: Any, array: Any, at: Any, value: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[2], _pointer(context, builder, signature, *args[:2]), align=8)
        return context.get_dummy_value()

    return types.void(array, types.intp, vector), code


def _shuffle(builder: Any, these: Any, order: list[int]) -> Any:
    nothing = ir.Constant(these.type, ir.Undefined)
    return builder.shuffle_vector(these, nothing, ir.Constant(ir.VectorType(LANE, len(order)), order))


def _splat_code(_: Any, number: Any) -> Any:
    def code(_: Any, builder: Any, __: Any, args: Any) -> Any:
        first = builder.insert_element(ir.Constant(VECTOR, ir.Undefined), args[0], ir.Constant(LANE, 0))
        return _shuffle(builder, first, [0] * WIDTH)

    return vector(types.float64), code


def _total_code(_: Any, these: Any) -> Any:
    def code(_: Any, builder: Any, __: Any, args: Any) -> Any:
        (rest,) = args
        for half in (4, 2, 1):
            low, high = (_shuffle(builder, rest, list(range(at, at + half))) for at in (0, half))
            rest = builder.fadd(low, high)
        return builder.extract_element(rest, ir.Constant(LANE, 0))

    return types.float64(vector), code


def _above_code(condition: str, bits: int) -> Any:
    def above(_: Any, these: Any, those: Any) -> Any:
        def code(_: Any, builder: Any, __: Any, args: Any) -> Any:
            found = builder.bitcast(builder.fcmp_ordered(">", *args), BITS)
            return builder.icmp_unsigned(condition, found, ir.Constant(BITS, bits))

        return types.boolean(vector, vector), code

    return above


_PLAIN: list[Any] = [_load, _store, _splat, _total, _any_above, _all_above]
_CODE: list[Any] = [_load_code, _store_code, _splat_code, _total_code, _above_code("!=", 0), _above_code("==", 255)]
load, store, splat, total, any_above, all_above = _PLAIN if config.DISABLE_JIT else [intrinsic(f) for f in _CODE]  # type: ignore[attr-defined]
