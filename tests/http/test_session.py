"""The session opens no connection it should not, and tells what happened to a request."""

import gzip
import http.client
import signal
import socket
import threading
import traceback
import tracemalloc

import pytest
from misbehaving import Misbehaving, Says

from icx.errors import BadInput
from icx.http import Lost, NotSent, Secret, Session, Unreadable, UnsafeAddress
from icx.http import session as module
from icx.http.session import safe_address


def open_session(url: str) -> Session:
    return Session(url, headers={}, secrets={"API-Password": Secret("s3cret-w0rd")}, timeout=(2, 2))


@pytest.fixture
def session(server: Misbehaving):
    session = open_session(server.url)
    yield session
    session.close()


@pytest.mark.parametrize(
    "address",
    [
        "http://app.icontact.com/icp",
        "ftp://app.icontact.com",
        "app.icontact.com",
        "https://",
        "https://maya:s3cret-w0rd@app.icontact.com/icp",
        "https://app.icontact.com/icp?password=s3cret-w0rd",
        "https://app.icontact.com:port/",
        "http://127.0.0.1.example.com/icp",
        "http://localhost.example.com/icp",
    ],
)
def test_a_login_is_not_sent_to_an_unsafe_address(address):
    with pytest.raises(UnsafeAddress) as raised:
        safe_address(address)
    assert raised.value.code == "unsafe-address"
    assert raised.value.exit_code == 1
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:8080/icp", "http://localhost/icp", "http://[::1]:80/icp"]
)
def test_plain_http_is_for_this_machine_only(address):
    assert safe_address(address) == address


def test_a_redirect_is_an_error_and_the_login_stays_here(server, session):
    server.says(Says(status=302, headers={"Location": "https://elsewhere.example.com/icp/time"}))
    with pytest.raises(UnsafeAddress, match="unsafe-address") as raised:
        session.send("GET", "/time")
    assert "elsewhere.example.com" in raised.value.where_text()
    assert len(server.asked) == 1


def test_the_login_is_only_sent_when_asked_for(server, session):
    session.send("GET", "/time", login=False)
    session.send("GET", "/a")
    assert "api-password" not in server.asked[0].headers
    assert server.asked[1].headers["api-password"] == "s3cret-w0rd"


def test_a_netrc_file_adds_no_login(server, session, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login maya password other\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    session.send("GET", "/a")
    assert "authorization" not in server.asked[0].headers


def test_a_refused_connection_was_not_sent():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    session = open_session(f"http://127.0.0.1:{port}/icp")
    with pytest.raises(NotSent, match="connection refused"):
        session.send("POST", "/a", body=b"[]")
    session.close()


def test_an_unknown_name_was_not_sent():
    session = open_session("https://icx.invalid/icp")
    session._session().trust_env = False  # a proxy of this machine would be asked for the name
    with pytest.raises(NotSent, match="name not found"):
        session.send("GET", "/time")
    session.close()


def test_a_connection_closed_after_the_request_is_lost(server, session):
    server.says(Says(fault="hang-up"))
    with pytest.raises(Lost) as raised:
        session.send("POST", "/a", body=b"[]")
    assert not isinstance(raised.value, Unreadable)
    assert len(server.asked) == 1, "nothing below the session may send again"


def test_a_cut_off_answer_is_unreadable(server, session):
    server.says(Says({"contacts": ["x" * 1000]}, fault="cut"))
    with pytest.raises(Unreadable, match="cut off"):
        session.send("GET", "/a")


def test_a_cut_off_zipped_answer_is_unreadable(server, session):
    server.says(Says({"contacts": [f"{n}" for n in range(5000)]}, fault="cut", zipped=True))
    with pytest.raises(Unreadable, match="cut off"):
        session.send("GET", "/a")


def test_an_answer_is_bounded_after_decompression(server, session, monkeypatch):
    monkeypatch.setattr(module, "MAX_BYTES", 100_000)
    server.says(Says({"contacts": "a" * 10_000_000}, zipped=True))
    with pytest.raises(Unreadable, match="over"):
        session.send("GET", "/a")


def test_a_small_answer_that_unpacks_to_a_large_one_takes_no_memory(server, session, monkeypatch):
    """Kilobytes that would become 100 MB, packed once and twice."""
    monkeypatch.setattr(module, "MAX_BYTES", 2**20)
    once = gzip.compress(bytes(100_000_000), 1)
    server.says(
        Says(once, headers={"Content-Encoding": "gzip"}),
        Says(gzip.compress(once), headers={"Content-Encoding": "gzip, gzip"}),
    )
    tracemalloc.start()
    try:
        with pytest.raises(Unreadable, match="over 1 MB"):
            session.send("GET", "/a")
        with pytest.raises(Unreadable, match="packed more than once"):
            session.send("GET", "/a")
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "headers", [{"X-Long": "a" * 200_000}, {f"X-{n}": "a" for n in range(5000)}], ids=["long", "many"]
)
def test_headers_are_bounded(server, session, headers):
    server.says(Says({}, headers=headers))
    with pytest.raises(Lost):
        session.send("GET", "/a")


def test_a_slow_answer_is_lost():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        session = Session(
            f"http://127.0.0.1:{silent.getsockname()[1]}/icp", headers={}, secrets={}, timeout=(1, 0.2)
        )
        with pytest.raises(Lost, match="no answer in time"):
            session.send("GET", "/a")
        session.close()


def test_a_password_that_no_header_carries_is_refused_before_sending(server):
    session = Session(server.url, headers={}, secrets={"API-Password": Secret("s3cret\n")})
    with pytest.raises(Exception, match="cannot be sent") as raised:
        session.send("GET", "/a")
    assert "s3cret" not in str(raised.value)
    assert server.asked == []
    session.close()


def test_every_thread_has_its_own_connection(server, session):
    seen = []
    threads = [threading.Thread(target=lambda: seen.append(session._session())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(one) for one in seen}) == 3


def test_a_certificate_nobody_vouches_for_is_refused(tmp_path):
    server = Misbehaving()
    session = open_session(server.with_own_certificate(tmp_path))
    try:
        with pytest.raises(UnsafeAddress, match="unsafe-address") as raised:
            session.send("GET", "/a")
        assert "certificate" in raised.value.where_text()
        assert server.asked == []
    finally:
        session.close()
        server.stop()


@pytest.mark.parametrize("stop", ["a stop from outside", "a hang-up", "a header that no request carries"])
def test_a_traceback_with_all_its_variables_does_not_show_the_login(server, monkeypatch, stop):
    """As `%xmode Verbose` in a notebook, or a watcher of errors, would print it."""
    session = open_session(server.url)
    if stop == "a stop from outside":
        monkeypatch.setattr(
            http.client.HTTPConnection, "getresponse", lambda self: signal.raise_signal(signal.SIGINT)
        )
    elif stop == "a hang-up":
        server.says(Says(fault="hang-up"))
    else:
        session = Session(server.url, headers={}, secrets={"API-Password": Secret("s3cret-w0rd\n")})
    with pytest.raises((KeyboardInterrupt, Lost, BadInput)) as raised:
        session.send("GET", "/a")
    frames = list(traceback.walk_tb(raised.value.__traceback__))[1:]  # the first is this test's
    assert frames
    assert "s3cret" not in "".join(repr(frame.f_locals) for frame, _ in frames)
    assert raised.value.__context__ is None
    session.close()
