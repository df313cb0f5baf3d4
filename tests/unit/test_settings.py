"""What the address of a database leaves open."""

from settings import as_needed


def test_a_postgresql_that_vanishes_is_noticed_within_a_minute() -> None:
    options = as_needed({"ENGINE": "django.db.backends.postgresql"})["OPTIONS"]
    silence = (
        options["keepalives_idle"] + options["keepalives_interval"] * options["keepalives_count"]
    )
    assert silence <= 60
    assert options["tcp_user_timeout"] <= 60_000


def test_what_the_address_says_goes_before() -> None:
    said = {"connect_timeout": 3, "sslmode": "require"}
    options = as_needed({"ENGINE": "django.db.backends.postgresql", "OPTIONS": said})["OPTIONS"]
    assert options["connect_timeout"] == 3
    assert options["sslmode"] == "require"
    assert options["keepalives_idle"] == 30
