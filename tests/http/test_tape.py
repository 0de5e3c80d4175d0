"""The tape shows what was asked without showing whom."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icx.http.tape import shown_path


@pytest.mark.parametrize(
    ("params", "hidden"),
    [
        ({"email": "ada@example.com"}, "ada@"),
        ({"email": "ada*"}, "ada"),
        ({"lastName": "Byron", "limit": "20"}, "Byron"),
        ({"vip_tier": "gold"}, "gold"),
    ],
)
def test_values_of_people_are_hidden(params, hidden):
    assert hidden not in shown_path("/a/1/c/2/contacts", params)


def test_an_address_in_a_path_is_hidden():
    assert "ada" not in shown_path("/a/1/c/2/contacts/ada%40example.com")


def test_what_the_api_says_itself_stays():
    params = {"status": "total", "limit": "1000", "offset": "0", "createDateSearchType": "gt"}
    assert (
        shown_path("/contacts", params)
        == "/contacts?status=total&limit=1000&offset=0&createDateSearchType=gt"
    )


@given(st.text(min_size=3, alphabet=st.characters(categories=["L", "N"])), st.sampled_from(["city", "phone"]))
def test_no_value_of_a_personal_field_is_ever_shown(text, name):
    assert shown_path("/contacts", {name: text}) == f"/contacts?{name}=…"
