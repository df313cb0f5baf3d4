import pytest

from tests.functional.conftest import Service
from tests.functional.stories import EXPLORER, explorer, passes


@pytest.mark.parametrize("batch_size", [1, 2, 500])
def test_it_counts_once(service: Service, batch_size: int) -> None:
    service.load(explorer())
    one, two = passes("ann", 1, minute=1), passes("ann", 2, minute=2)
    service.publish([one, one, two, one, two])
    service.consume(batch_size=batch_size)
    service.publish([one, two])
    service.consume(batch_size=batch_size)
    state = service.state()
    assert (state["inbox"]["accepted"], state["inbox"]["duplicate"]) == (2, 5)
    badge = service.badge("ann", EXPLORER)
    assert badge is not None
    assert badge["credential"]["status"] == "awarded"
