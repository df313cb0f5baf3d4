"""Random badges: groups, counts, windows, order, penalties."""

from collections import Counter
from datetime import timedelta
from typing import Final

from hypothesis import strategies as st

from tests.reference import Badge, Rule

KEYS: Final = "abcd"
# Made once: making a strategy costs more than drawing from it.
_sizes = st.integers(1, 4)
_parts = st.tuples(
    st.sampled_from("GH"),
    st.integers(1, 3),  # count
    st.booleans(),  # distinct
    st.none() | st.integers(1, 6),  # minutes
    st.integers(0, 2 ** len(KEYS) - 1),  # after: those of the bits that are earlier, so no circle
)
_required = st.integers(0, 3)
_penalties = st.dictionaries(st.sampled_from("pq"), st.integers(1, 2 ** len(KEYS) - 1))


def chosen(bits: int, keys: str) -> tuple[str, ...]:
    return tuple(key for number, key in enumerate(keys) if bits >> number & 1)


@st.composite
def badges(draw: st.DrawFn) -> Badge:
    keys = KEYS[: draw(_sizes)]
    rules = []
    for number, key in enumerate(keys):
        group, count, distinct, minutes, after = draw(_parts)
        within = None if minutes is None else timedelta(minutes=minutes)
        rules.append(Rule(key, group, count, distinct, within, chosen(after, keys[:number])))
    sizes = Counter(each.group for each in rules)
    return Badge(
        rules=tuple(rules),
        groups={label: 1 + draw(_required) % size for label, size in sizes.items()},
        penalties={name: chosen(bits, keys) or ("a",) for name, bits in draw(_penalties).items()},
    )
