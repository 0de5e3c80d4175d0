"""A connection is saved without its secrets; those are in the keyring if it works, and never cause a hang."""

import json
import os
import stat
import threading
import time

import pytest

from icx.connections.icontact import Login
from icx.connections.saved import Connections, SavedConnection
from icx.errors import BadInput, Damaged, NeedsYou
from icx.http import Secret

LOGIN = Login.clean("1f3c9a00", "maya@example.com", "s3cret-w0rd")
ACME = SavedConnection(
    "acme", account_id=41733, client_folder_id=8021, company="Acme Outdoor", folder_name="Main"
)


class Remembers:
    """A keyring that works."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service, username):
        return self.kept.get((service, username))

    def set_password(self, service, username, password):
        self.kept[service, username] = password

    def delete_password(self, service, username):
        del self.kept[service, username]


class Fails(Remembers):
    """As keyring's own `fail` backend, or one whose desktop is not there."""

    def get_password(self, service, username):
        raise RuntimeError("No recommended backend was available.")

    set_password = delete_password = get_password


class Forgets(Remembers):
    """As keyring's `null` backend: takes everything, keeps nothing."""

    def set_password(self, service, username, password):
        pass


class Waits(Remembers):
    """As a backend that asks on a screen nobody sees."""

    def __init__(self) -> None:
        super().__init__()
        self.released = threading.Event()

    def get_password(self, service, username):
        self.released.wait(20)

    set_password = delete_password = get_password


def open_in(path, keyring=None, environment=None) -> Connections:
    return Connections(
        path / "data", keyring=keyring or Remembers(), environment=environment or {}, patience=0.2
    )


def everything_in(path) -> str:
    return "".join(p.read_text() for p in path.rglob("*") if p.is_file())


def test_a_connection_comes_back_as_it_was_saved(tmp_path):
    connections = open_in(tmp_path)
    saved, place = connections.save(ACME, LOGIN)
    assert place == "keyring"
    assert connections.load("acme") == saved
    assert connections.names() == ["acme"]
    assert connections.login(saved) == LOGIN


def test_with_a_keyring_no_secret_is_in_any_file(tmp_path):
    open_in(tmp_path).save(ACME, LOGIN)
    assert "s3cret" not in everything_in(tmp_path)
    assert "1f3c9a00" not in everything_in(tmp_path)


@pytest.mark.parametrize("keyring", [Fails, Forgets, Waits])
def test_a_keyring_that_does_not_work_gives_way_to_a_file_at_once(tmp_path, keyring):
    ring = keyring()
    started = time.monotonic()
    connections = open_in(tmp_path, ring)
    saved, place = connections.save(ACME, LOGIN)
    assert place == "file"
    assert connections.login(saved) == LOGIN
    assert not connections.secrets.works()
    assert time.monotonic() - started < 5
    if isinstance(ring, Waits):
        ring.released.set()


def test_only_the_owner_can_read_the_file(tmp_path):
    connections = open_in(tmp_path, Fails())
    saved, _ = connections.save(ACME, LOGIN)
    path = tmp_path / "data/secrets/acme.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert (path.parent / ".gitignore").read_text() == "*\n"
    path.chmod(0o644)
    connections.login(saved)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_saved_connection_itself_holds_no_secret(tmp_path):
    open_in(tmp_path, Fails()).save(ACME, LOGIN)
    text = (tmp_path / "data/connections/acme.json").read_text()
    assert "s3cret" not in text
    assert "1f3c9a00" not in text


def test_the_environment_comes_after_the_keyring_and_before_the_file(tmp_path):
    ring, given = Remembers(), {"ICX_PASSWORD": "from-environment", "ICX_APP_ID": "from-environment"}
    saved, _ = open_in(tmp_path, ring).save(ACME, LOGIN)
    assert open_in(tmp_path, ring, given).login(saved) == LOGIN
    saved, _ = open_in(tmp_path, Fails()).save(ACME, LOGIN)
    assert open_in(tmp_path, Fails(), given).login(saved).password == Secret("from-environment")
    assert open_in(tmp_path, Fails()).login(saved) == LOGIN


def test_a_missing_secret_is_asked_for_by_name(tmp_path):
    saved, _ = open_in(tmp_path, Remembers()).save(ACME, LOGIN)
    with pytest.raises(NeedsYou) as raised:
        open_in(tmp_path, Fails(), {"ICX_APP_ID": "1f3c"}).login(saved)
    assert raised.value.code == "needs-answer"
    assert raised.value.where_text() == "`ICX_PASSWORD` is not set"
    assert raised.value.next == [["icx", "connect", "acme", "--update"]]


def test_saving_again_keeps_the_same_place_and_forgets_the_old_file(tmp_path):
    first, _ = open_in(tmp_path, Fails()).save(ACME, LOGIN)
    again, place = open_in(tmp_path, Remembers()).save(ACME, LOGIN)
    assert again.secret_key == first.secret_key
    assert place == "keyring"
    assert not (tmp_path / "data/secrets/acme.json").exists()


def test_two_workspaces_with_one_name_do_not_share_a_secret(tmp_path):
    ring = Remembers()
    one, _ = open_in(tmp_path / "a", ring).save(ACME, LOGIN)
    other, _ = open_in(tmp_path / "b", ring).save(ACME, Login.clean("9999", "jo@example.com", "other"))
    assert open_in(tmp_path / "a", ring).login(one) == LOGIN
    open_in(tmp_path / "b", ring).delete("acme")
    assert open_in(tmp_path / "a", ring).login(one) == LOGIN
    assert other.secret_key != one.secret_key


def test_a_deleted_connection_leaves_nothing(tmp_path):
    ring = Remembers()
    connections = open_in(tmp_path, ring)
    connections.save(ACME, LOGIN)
    connections.delete("ACME")
    assert connections.names() == []
    assert ring.kept == {}
    with pytest.raises(BadInput, match="no connection") as raised:
        connections.load("acme")
    assert raised.value.next == [["icx", "connect", "acme"]]


def test_upper_and_lower_case_are_one_name(tmp_path):
    connections = open_in(tmp_path)
    connections.save(ACME, LOGIN)
    assert connections.load("Acme").name == "acme"
    with pytest.raises(BadInput, match="connection-name"):
        connections.save(SavedConnection("ACME"), LOGIN)


@pytest.mark.parametrize("name", ["", "../acme", "a/b", "main", "Icx", ".hidden", "x" * 80, "a\nb"])
def test_a_name_that_can_be_no_file_or_schema_is_refused(tmp_path, name):
    with pytest.raises(BadInput) as raised:
        open_in(tmp_path).save(SavedConnection(name), LOGIN)
    assert raised.value.code == "connection-name"
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"', "null"])
def test_a_spoilt_file_is_named_and_left(tmp_path, text):
    connections = open_in(tmp_path)
    connections.save(ACME, LOGIN)
    path = tmp_path / "data/connections/acme.json"
    path.write_text(text)
    with pytest.raises(Damaged, match="connection-file"):
        connections.load("acme")
    assert path.read_text() == text


def test_a_newer_file_with_more_in_it_is_read(tmp_path):
    connections = open_in(tmp_path)
    saved, _ = connections.save(ACME, LOGIN)
    path = tmp_path / "data/connections/acme.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"colour": "green"}))
    assert connections.load("acme") == saved


def test_a_spoilt_secrets_file_is_named(tmp_path):
    connections = open_in(tmp_path, Fails())
    saved, _ = connections.save(ACME, LOGIN)
    (tmp_path / "data/secrets/acme.json").write_text("{")
    with pytest.raises(Damaged, match="connection-file"):
        connections.login(saved)


def test_an_unfinished_write_is_no_connection(tmp_path):
    connections = open_in(tmp_path)
    connections.save(ACME, LOGIN)
    (tmp_path / f"data/connections/.other.{os.getpid()}.part").write_text("{")
    assert connections.names() == ["acme"]


def test_nothing_shows_a_secret(tmp_path):
    connections = open_in(tmp_path)
    saved, _ = connections.save(ACME, LOGIN)
    shown = [repr(one) for one in (connections, connections.secrets, saved, LOGIN, connections.login(saved))]
    assert "s3cret" not in " ".join(shown)
    assert repr(saved) == "SavedConnection(acme: Acme Outdoor (41733) › Main (8021))"
