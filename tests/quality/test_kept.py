"""Great Expectations makes the configuration of an expectation once a judgement, and says what it said before."""

from icx.quality import native
from icx.quality.kept import configurations_kept


def test_a_configuration_is_made_once_inside_a_judgement_and_anew_outside() -> None:
    native.load()
    from great_expectations.expectations.core import ExpectColumnValuesToBeBetween

    one = ExpectColumnValuesToBeBetween(column="opens", min_value=0)
    other = ExpectColumnValuesToBeBetween(column="clicks", min_value=0)
    outside = one.configuration
    assert outside is not one.configuration
    with configurations_kept():
        inside = one.configuration
        assert inside is one.configuration
        assert inside == outside
        assert other.configuration.kwargs["column"] == "clicks"
    assert one.configuration is not inside
