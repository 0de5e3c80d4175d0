"""A secret does not show."""

import copy
import json
import pickle

import pytest

from icx.http import Secret

WORD = "s3cret-w0rd"


@pytest.mark.parametrize(
    "show", [repr, str, "{}".format, "{:>40}".format, lambda s: f"{s!r}", lambda s: f"{[s]}"]
)
def test_a_secret_does_not_show_when_printed(show):
    assert WORD not in show(Secret(WORD))


@pytest.mark.parametrize("keep", [pickle.dumps, json.dumps, copy.deepcopy, copy.copy, hash])
def test_a_secret_is_not_kept_by_accident(keep):
    with pytest.raises(TypeError) as raised:
        keep(Secret(WORD))
    assert WORD not in str(raised.value)


def test_a_secret_has_no_attributes_that_give_it_away():
    assert not hasattr(Secret(WORD), "__dict__")


def test_secrets_compare_and_know_whether_they_are_empty():
    assert Secret(WORD) == Secret(Secret(WORD))
    assert Secret(WORD) != Secret("other")
    assert Secret(WORD) != WORD
    assert not Secret("")
