"""How many examples a property gets: the profile says how many for one through the database; one
that touches no database gets ten times as many, and takes about as long.
"""

from typing import Final

from hypothesis import settings

THROUGH_THE_DATABASE: Final = settings()
PURE: Final = settings(max_examples=10 * settings().max_examples)
THRICE: Final = settings(max_examples=settings().max_examples // 3)  # each example, three times
