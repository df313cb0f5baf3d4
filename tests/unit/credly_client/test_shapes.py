from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from credly_client import shapes
from credly_client.errors import MalformedAnswer

ID = "5f1b0cb7-6d0a-4a7e-9d6c-3f0d5d0b8a10"


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (shapes.mapping, []),
        (shapes.sequence, {}),
        (shapes.text, 1),
        (shapes.number, "1"),
        (shapes.number, True),
        (shapes.boolean, "true"),
        (shapes.identifier, "../organizations"),
        (shapes.identifier, 7),
        (shapes.moment, "yesterday"),
        (shapes.moment, 1700000000),
        (shapes.day, ""),
    ],
)
def test_another_shape_is_malformed_and_named(read: object, value: object) -> None:
    assert callable(read)
    with pytest.raises(MalformedAnswer, match=r"^the_key is not"):
        read(value, name="the_key")


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2014-04-01T14:41:00.000Z", datetime(2014, 4, 1, 14, 41, tzinfo=UTC)),
        ("2014-04-01T09:41:00-05:00", datetime(2014, 4, 1, 14, 41, tzinfo=UTC)),
        ("2014-04-01T14:41:00", datetime(2014, 4, 1, 14, 41, tzinfo=UTC)),
    ],
)
def test_moments_are_utc(written: str, moment: datetime) -> None:
    assert shapes.moment(written, name="issued_at") == moment


def test_a_day_comes_with_or_without_a_time() -> None:
    assert shapes.day("2030-04-01", name="expires_at") == date(2030, 4, 1)
    assert shapes.day("2030-04-01T00:00:00.000Z", name="expires_at") == date(2030, 4, 1)


def test_required_and_optional_keys() -> None:
    with pytest.raises(MalformedAnswer, match="id is missing"):
        shapes.required({}, "id", shapes.identifier)
    assert shapes.required({"id": ID}, "id", shapes.identifier) == UUID(ID)
    assert shapes.optional({}, "id", shapes.identifier) is None
    assert shapes.optional({"id": None}, "id", shapes.identifier) is None


@pytest.mark.parametrize("value", [ID, ID.upper(), UUID(ID)])
def test_ids_have_one_form(value: UUID | str) -> None:
    assert shapes.canonical_id(value) == ID


@pytest.mark.parametrize(
    "value",
    [
        "",
        "../../users",
        f"{ID}/../x",
        f"{{{ID}}}",
        f"urn:uuid:{ID}",
        ID.replace("-", ""),
        f"{ID}\n",
        "5f1b0cb7-6d0a-4a7e-9d6c-3f0d5d0b8a1g",
        "5f1b0cb76-d0a-4a7e-9d6c-3f0d5d0b8a10",
    ],
)
def test_anything_else_is_no_id(value: str) -> None:
    with pytest.raises(ValueError, match="UUID"):
        shapes.canonical_id(value)
