"""A login is tried at once; what is wrong with it is told apart, and nothing is picked that was not the only one."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from misbehaving import Asked, Misbehaving, Says

from icx.clock import ManualClock
from icx.connections.icontact import Login, client_for, verify
from icx.connections.saved import SavedConnection
from icx.errors import IcxError, NeedsYou, Refused, TryLater
from icx.icontact import Client
from icx.sandbox.process import SandboxProcess, start

STATES = ["service", "login", "account", "folder", "rights"]
NOON = datetime(2026, 3, 2, 17, tzinfo=UTC)


@pytest.fixture(scope="module")
def agency() -> Iterator[SandboxProcess]:
    with start(contacts=30, messages=2, seed=5, accounts=2, folders=3, app_id="1f3c9a0000") as process:
        yield process


@pytest.fixture(scope="module")
def single() -> Iterator[SandboxProcess]:
    with start(contacts=30, messages=2, seed=5, deny=["tracking"]) as process:
        yield process


def login_to(process: SandboxProcess, **changes: str) -> Login:
    values = {"app_id": process.app_id, "username": process.username, "password": process.password}
    return Login.clean(**{**values, **changes}, base_url=process.base_url)


def try_it(login: Login, **options):
    return verify(login, clock=ManualClock(NOON), **options)


def failed(login: Login, **options) -> IcxError:
    with pytest.raises(IcxError) as raised:
        try_it(login, **options)
    assert raised.value.kept == "nothing was saved"
    assert raised.value.next
    assert [step["name"] for step in raised.value.data["steps"]] == STATES
    return raised.value


def states(error: IcxError) -> str:
    return " ".join(step["state"].replace("not tried", "-") for step in error.data["steps"])


# --- against the sandbox -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", ["app_id", "username", "password"])
def test_a_wrong_value_is_a_refused_login_that_names_all_three(agency, wrong):
    error = failed(login_to(agency, **{wrong: "1f3c-wrong"}), name="acme")
    assert error.code == "login-refused"
    assert states(error) == "good refused - - -"
    assert all(word in error.where_text() for word in ("API password", "user name", "application id"))
    assert ["icx", "connect", "acme", "--update"] in error.next


def test_several_accounts_are_offered_and_none_is_picked(agency):
    error = failed(login_to(agency), name="acme")
    assert isinstance(error, NeedsYou)
    assert error.code == "needs-answer"
    assert error.exit_code == 3
    assert error.data["choices"][0]["id"] == agency.account_id
    assert error.next[0] == ["icx", "connect", "acme", "--account", str(agency.account_id)]


def test_several_folders_are_offered_and_none_is_picked(agency):
    error = failed(login_to(agency), account=agency.account_id)
    assert error.data["choose"] == "folder"
    assert len(error.data["choices"]) == 3
    assert states(error) == "good good good asks -"


def test_a_chosen_account_and_folder_are_taken(agency):
    found = try_it(login_to(agency), account=agency.account_id, folder=agency.client_folder_id)
    assert (found.account_id, found.client_folder_id) == (agency.account_id, agency.client_folder_id)
    assert [step.state for step in found.steps] == ["good"] * 5
    assert len(found.accounts) == 2
    assert len(found.folders) == 3
    assert not found.contacts_only


def test_an_account_this_login_does_not_see(agency):
    error = failed(login_to(agency), account=7, name="acme")
    assert error.code == "account-unknown"
    assert str(agency.account_id) in error.where_text()
    assert error.next[0] == ["icx", "connect", "acme", "--account", str(agency.account_id)]


def test_a_folder_this_account_does_not_have(agency):
    error = failed(login_to(agency), account=agency.account_id, folder=7)
    assert error.code == "folder-unknown"
    assert f"--folder 7; this login sees {agency.client_folder_id}" in error.where_text()
    assert states(error) == "good good good refused -"


def test_the_only_account_and_folder_are_picked_and_missing_rights_offer_contacts_only(single):
    error = failed(login_to(single), name="nw-trade")
    assert error.code == "right-missing"
    assert error.data["contacts_only"] is True
    assert "not opens and clicks" in error.message
    assert ["icx", "connect", "nw-trade", "--update", "--contacts-only"] in error.next
    found = try_it(login_to(single), contacts_only=True)
    assert found.contacts_only
    assert (found.account_id, found.client_folder_id) == (single.account_id, single.client_folder_id)


# --- against a service that misbehaves -----------------------------------------------------------------------------


@pytest.fixture
def login(server: Misbehaving) -> Login:
    return Login.clean("1f3c9a00", "maya@example.com", "s3cret-w0rd", server.url)


def service(**changes: Says) -> Callable[[Asked], Says]:
    """An account that works, with changes by the last word of the path (for `c/222/…`, by that word)."""
    good = {
        "time": Says({"time": "2026-03-02T12:00:01-05:00", "timestamp": 1772470801}),
        "a": Says({"accounts": [{"accountId": "111", "companyName": "Acme", "enabled": "1"}], "total": 1}),
        "c": Says({"clientfolders": [{"clientFolderId": "111", "logoId": None}], "total": 1}),
        "contacts": Says({"contacts": [], "total": 0}),
        "lists": Says({"lists": [], "total": 0}),
        "messages": Says({"messages": [{"messageId": "7"}], "total": 1}),
        "opens": Says({"opens": [], "total": 0}),
    } | changes
    return lambda asked: good[asked.path.rpartition("/")[2]]


def test_equal_account_and_folder_ids_are_fine(server, login):
    server.reply = service()
    found = try_it(login)
    assert (found.account_id, found.client_folder_id) == (111, 111)
    assert found.steps[0].text.endswith("clocks differ by 1 s")


def test_an_account_without_messages_cannot_be_tried_for_opens_and_says_so(server, login):
    server.reply = service(messages=Says({"messages": [], "total": 0}))
    assert "not tried" in try_it(login).steps[-1].text


def test_a_service_that_is_down_is_not_a_wrong_login(login, server):
    server.stop()
    error = failed(login)
    assert isinstance(error, TryLater)
    assert error.code == "service-unreachable"
    assert "4 tries in 62 s: connection refused; no login was sent" in error.where_text()
    assert states(error) == "refused - - - -"


def test_a_portal_page_in_between_is_not_icontact(login, server):
    server.says(Says(b"<html>Hotel Wi-Fi</html>", type="text/html"))
    error = failed(login)
    assert error.code == "service-unreachable"
    assert not [asked for asked in server.asked if "api-password" in asked.headers]


def test_a_busy_service_is_busy(login, server):
    server.says(Says({"errors": ["Maintenance"]}, status=503))
    assert failed(login).code == "service-busy"


def test_a_redirect_sends_no_login(login, server):
    server.reply = service(a=Says(status=301, headers={"Location": "http://elsewhere.example.com/icp/a"}))
    assert failed(login).code == "unsafe-address"


def test_an_unpaid_account_is_not_a_wrong_password(login, server):
    server.reply = service(a=Says({"errors": ["Payment Required"]}, status=402))
    error = failed(login)
    assert error.code == "account-unpaid"
    assert states(error) == "good refused - - -"


@pytest.mark.parametrize("account", [None, 111])
def test_an_account_that_is_switched_off_is_refused(login, server, account):
    rows = [{"accountId": "111", "companyName": "Acme", "enabled": "0"}]
    server.reply = service(a=Says({"accounts": rows, "total": 1}))
    error = failed(login, account=account)
    assert isinstance(error, Refused)
    assert error.code == "account-disabled"
    assert "111 Acme" in error.where_text()


def test_a_switched_off_account_is_not_offered(login, server):
    rows = [{"accountId": str(n), "companyName": f"No {n}", "enabled": str(n % 2)} for n in (110, 111, 112)]
    server.reply = service(a=Says({"accounts": rows, "total": 3}))
    assert try_it(login).account_id == 111


@pytest.mark.parametrize("resource", ["contacts", "lists"])
def test_a_folder_without_the_first_right_is_named(login, server, resource):
    server.reply = service(**{resource: Says({"errors": ["Forbidden"]}, status=403)})
    error = failed(login)
    assert error.code == "right-missing"
    assert resource in error.message
    assert "contacts_only" not in error.data


@pytest.mark.parametrize(
    "address", ["https://api.icpro.co/icp", "https://api.omkt.co/icp", "https://icpro.co"]
)
def test_the_old_platform_is_named(address):
    with pytest.raises(IcxError) as raised:
        Login.clean("1f3c", "maya@example.com", "x", address)
    assert raised.value.code == "old-platform"


def test_pasted_blanks_are_taken_off_and_said():
    login = Login.clean("\u200b1f3c ", "maya@example.com\n", "\u00a0s3cret")
    assert (login.app_id.reveal(), login.username, login.password.reveal()) == (
        "1f3c",
        "maya@example.com",
        "s3cret",
    )
    assert login.notes == (
        "blanks at the beginning and the end of the application id were taken off",
        "a blank at the end of the user name was taken off",
        "a blank at the beginning of the API password was taken off",
    )


def test_no_secret_is_in_what_a_verification_shows(server, login):
    server.reply = service(a=Says({"errors": ["Api username invalid"]}, status=401))
    error = failed(login)
    shown = repr(login) + str(error) + str(error.as_dict()) + repr(vars(error))
    assert "s3cret" not in shown
    assert "1f3c9a00" not in shown
    assert "maya" not in shown


def test_the_client_of_a_saved_connection_knows_its_place(login):
    saved = SavedConnection(
        "acme", base_url="https://app.icontact.com/icp", account_id=111, client_folder_id=222
    )
    with client_for(saved, login) as client:
        assert isinstance(client, Client)
        assert "account 111, folder 222" in repr(client)
