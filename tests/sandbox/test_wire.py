"""Login, versions, formats, paths, verbs and body shapes; the errors the service words."""

from __future__ import annotations

import pytest

from icx.sandbox.answers import php_json

NOT_IMPLEMENTED = {"errors": ["Resource Or Version Not Implemented"]}


@pytest.mark.parametrize(
    "wrong",
    [{"api_password": "x"}, {"api_username": "absent"}, {"api_appid": "absent"}, {"api_password": "absent"}],
)
def test_a_wrong_login_is_a_401_everywhere(twin, wrong):
    for path in ("/contacts", "/icp/a", "/icp/nowhere"):
        found = twin.ask("GET", path, **wrong)
        assert (found.status, found.body) == (401, {"errors": ["Api username invalid"]})


def test_any_application_id_will_do_unless_one_is_given(make_twin):
    assert make_twin().ask("GET", "/lists", api_appid="whatever").status == 200
    strict = make_twin(app_id="the-one")
    assert strict.ask("GET", "/lists", api_appid="whatever").status == 401
    assert strict.ask("GET", "/lists", api_appid="the-one").status == 200


@pytest.mark.parametrize(
    ("version", "status"), [("2.0", 200), ("2.1", 200), ("2.2", 200), ("2.3", 501), ("1", 501)]
)
def test_versions(twin, version, status):
    assert twin.ask("GET", "/lists", api_version=version).status == status


@pytest.mark.parametrize(
    ("accept", "status"),
    [("application/json", 200), ("absent", 200), ("*/*", 200), ("text/xml", 406), ("text/html, text/xml;q=0.9", 406),
     ("text/xml, application/json; q=0.5", 200)],
)  # fmt: skip
def test_only_json_is_given(twin, accept, status):
    found = twin.ask("GET", "/lists", accept=accept)
    assert found.status == status
    if status == 406:
        assert "JSON" in found.body["errors"][0]


def test_only_json_is_taken(twin):
    for kind in ("text/xml", "application/x-www-form-urlencoded", "absent"):
        assert twin.ask("POST", "/lists", [{"name": "x"}], content_type=kind).status == 415
    assert (
        twin.ask("POST", "/lists", [{"name": "x"}], content_type="Application/JSON; charset=utf-8").status
        == 200
    )
    assert twin.ask("GET", "/lists", content_type="text/xml").status == 200


@pytest.mark.parametrize(
    "path",
    ["/nowhere", "/Contacts", "/contacts/1/opens", "/messages/1/opens/2/3", "/contacts//actions", "/icp", "/icpx/a",
     "/icp/b", "/icp/a/111/nowhere", "/icp/a//c//contacts", "/icp/time/now"],
)  # fmt: skip
def test_paths_that_are_none_are_not_implemented(twin, path):
    found = twin.ask("GET", path)
    assert (found.status, found.body) == (501, NOT_IMPLEMENTED)


def test_unknown_accounts_and_folders_are_named(twin):
    text = "You provided a accountId that we did not recognise. Please provide a valid accountId."
    for path in ("/icp/a//c", "/icp/a/9", "/icp/a/9/c/222/contacts", "/icp/a/x/c"):
        assert twin.ask("GET", path).body == {"errors": [text]}
    found = twin.ask("GET", "/icp/a/111/c/9/contacts")
    assert (found.status, "clientFolderId" in found.body["errors"][0]) == (404, True)


def test_trailing_and_leading_slashes_are_nothing(twin):
    contact = twin.person()
    for path in (
        "/contacts/",
        f"/contacts/{contact}/",
        f"/contacts/{contact}/actions/",
        "/icp/a/",
        "/icp/a/111/c/",
    ):
        assert twin.ask("GET", path).status == 200
    assert twin.ask("GET", f"/icp//a/111/c/222/contacts/{contact}").status == 501


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "HEAD"])
def test_verbs_a_collection_does_not_take(twin, method):
    for path in ("/contacts", "/lists", "/subscriptions", "/messages", "/icp/a/111/c"):
        assert twin.ask(method, path).status == 405


@pytest.mark.parametrize(
    "body",
    [
        [{"email": "ada@example.com"}],
        {"contact": {"email": "ada@example.com"}},
        {"contacts": [{"email": "ada@example.com"}]},
        [{"contact": {"email": "ada@example.com"}}],
        {"email": "ada@example.com"},
        [[{"email": "ada@example.com"}]],
    ],
)
def test_every_shape_of_a_collection_write(twin, body):
    assert [row["email"] for row in twin.post("/contacts", body)["contacts"]] == ["ada@example.com"]


@pytest.mark.parametrize("body", [{"city": "Cary"}, [{"city": "Cary"}], {"contact": {"city": "Cary"}}])
def test_every_shape_of_a_member_write(twin, body):
    assert twin.post(f"/contacts/{twin.person()}", body)["contact"]["city"] == "Cary"


def test_bodies_that_cannot_be_read(twin):
    contact = twin.person()
    for path in ("/contacts", f"/contacts/{contact}"):
        for raw in (b"{", b"\xff", b'"text"', b'["text"]'):
            assert twin.ask("POST", path, raw=raw).status == 400
    assert twin.ask("POST", f"/contacts/{contact}", [{"city": "a"}, {"city": "b"}]).status == 400
    assert twin.post("/contacts", []) == {"contacts": None}
    assert twin.ask("GET", "/contacts", raw=b"{}").status == 200
    assert twin.ask("DELETE", f"/contacts/{contact}", raw=b"null").status == 200


def test_a_refused_member_write_leaves_everything_as_it_was(twin):
    contact = twin.person(firstName="Ada")
    assert twin.ask("POST", f"/contacts/{contact}", {"firstName": "X", "status": "deleted"}).status == 400
    assert twin.get(f"/contacts/{contact}")["contact"]["firstName"] == "Ada"


def test_unknown_members_are_not_found(twin):
    for path in ("/contacts/7", "/contacts/x", "/subscriptions/1_2", "/subscriptions/x", "/messages/7", "/sends/7",
                 "/campaigns/7", "/customfields/tier", "/segments/7", "/webhooks/7", "/icp/a/111/users/7"):  # fmt: skip
        found = twin.ask("GET", path)
        assert (found.status, found.body) == (404, {"errors": ["Not Found"]})


@pytest.mark.parametrize(
    ("rule", "refused", "allowed"),
    [
        ("tracking", ("GET", "/messages/7/opens"), ("GET", "/messages")),
        ("tracking", ("GET", "/messages/7/statistics"), ("POST", "/lists")),
        ("subscriber", ("POST", "/contacts"), ("GET", "/contacts")),
        ("creative", ("POST", "/messages"), ("POST", "/contacts")),
        ("write", ("POST", "/contacts"), ("GET", "/lists")),
        ("read", ("GET", "/contacts"), ("POST", "/contacts")),
        ("everything", ("GET", "/contacts"), ("GET", "/icp/a")),
        ("everything@222", ("GET", "/contacts"), ("GET", "/icp/a/111/c")),
    ],
)
def test_rights_are_on_a_switch(make_twin, rule, refused, allowed):
    twin = make_twin(deny=(rule,))
    assert twin.ask(refused[0], refused[1], None if refused[0] == "GET" else []).status == 403
    assert twin.ask(allowed[0], allowed[1], None if allowed[0] == "GET" else []).status == 200


def test_a_right_denied_in_one_folder_stands_in_another(make_twin):
    twin = make_twin(deny=("everything@9",))
    assert twin.ask("GET", "/contacts").status == 200


def test_json_is_written_as_php_writes_it():
    assert php_json({"a": "http://x/é☃𝄞", "b": [], "c": None, "d": 1}) == (
        b'{"a":"http:\\/\\/x\\/\\u00e9\\u2603\\ud834\\udd1e","b":[],"c":null,"d":1}'
    )
