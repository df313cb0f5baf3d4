"""Several consumers of one group work on the same learners at the same time."""

import re

import pytest

from tests.faults.place import Place


@pytest.mark.parametrize("number", [2, 3])
def test_on_the_same_learners(place: Place, number: int) -> None:
    consumers = [place.consumer(f"c{each}", batch_size=25) for each in range(number)]
    place.wait_until_all_consume()
    place.publish()
    place.wait_until_all_is_read(*consumers)
    place.check()
    # Deadlocks are tried again, nobody is charged with them; and everybody did a share.
    assert "event failed" not in place.log
    assert len(re.findall(r"leaving .*accepted=", place.log)) == number
