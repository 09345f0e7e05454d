"""Values that no argument wants, or almost none: what a stranger may hand to a public call."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

DTYPES = ("bool", "int8", "int64", "uint8", "float16", "float32", "float64", "complex64", "U2", "O")

ARRAYS = st.sampled_from(DTYPES).flatmap(
    lambda dtype: hnp.arrays(
        dtype,
        hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=3),
        elements=st.none() if dtype == "O" else None,
    )
)
"""Arrays of any type and of 0 to 5 axes, empty ones among them."""

NUMBERS = st.one_of(
    st.sampled_from([-1, 0, 1, 2, 7]),
    st.sampled_from([float("nan"), float("inf"), -1.5, 0.0, 0.5, 1.0, 1e308]),
    st.sampled_from([np.float32(0.5), np.int64(3), np.uint8(0), np.bool_(True)]),
)

OTHERS = st.one_of(
    st.none(),
    st.booleans(),
    st.text(max_size=4),
    st.binary(max_size=4),
    st.complex_numbers(),
    st.lists(st.one_of(st.none(), st.integers(-2, 3), st.text(max_size=2)), max_size=4),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
    st.sampled_from([object(), len, int, {1, 2}, [[1], [1, 2]], ("a", 1), range(3)]),
)

WRONG = st.one_of(NUMBERS, OTHERS, ARRAYS)
"""Anything; some of it is right by chance."""

WRONG_OR_HUGE = st.one_of(WRONG, st.sampled_from([2**31, 2**63, 2**64, -(2**63), 10**30]))
"""For arguments that decide on no size in memory: there is no wrong type in asking for too much."""
