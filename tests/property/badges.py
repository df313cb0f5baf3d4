"""Random badges: groups, counts, windows, order, penalties."""

from collections import Counter
from datetime import timedelta
from typing import Final

from hypothesis import strategies as st

from tests.reference import Badge, Rule

KEYS: Final = "abcd"
# Made once: making a strategy costs more than drawing from it. What is plain comes more often than
# what is not, or hardly any random badge would ever be earned.
_sizes = st.sampled_from([1, 2, 2, 3, 4])
_parts = st.tuples(
    st.sampled_from("GGH"),
    st.sampled_from([1, 1, 1, 2, 2, 3]),  # count
    st.booleans(),  # distinct
    st.sampled_from([None, None, None, 1, 3, 6]),  # minutes
    st.sampled_from([0, 0, 0, 1, 2, 5, 7]),  # after: those of the bits that are earlier: no circle
)
_required = st.sampled_from([0, 0, 1, 2, 3])
_penalties = st.sampled_from(["", "p", "p", "pq"])
_resets = st.integers(1, 2 ** len(KEYS) - 1)
# How many minutes an event is late (or early): most come in the order of time.
delays = st.sampled_from([0, 0, 0, 0, 1, 2, 5, -1, -3])


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
        penalties={name: chosen(draw(_resets), keys) or ("a",) for name in draw(_penalties)},
    )
