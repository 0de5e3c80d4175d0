"""The sandbox as a process: its options, its first line, its end, faults and the socket itself."""

from __future__ import annotations

import gzip
import http.client
import io
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from icx.sandbox import serve
from icx.sandbox.process import SandboxFailed, SandboxProcess, start
from icx.sandbox.spare import sweep


def headers(box: SandboxProcess) -> dict[str, str]:
    return {
        "API-AppId": box.app_id,
        "API-Username": box.username,
        "API-Password": box.password,
        "API-Version": "2.2",
        "Accept": "application/json",
        "Content-Type": "application/json",
    }


def folder(box: SandboxProcess) -> str:
    return f"{box.base_url}/a/{box.account_id}/c/{box.client_folder_id}"


def call(box: SandboxProcess, path: str, method: str = "GET", **options: Any) -> requests.Response:
    return requests.request(method, folder(box) + path, headers=headers(box), timeout=20, **options)


def order(box: SandboxProcess, **fault: Any) -> None:
    requests.post(f"{box.control_url}/faults", json=fault, timeout=10).raise_for_status()


@pytest.mark.usefixtures("own_interpreter")
def test_it_answers_when_start_returns_and_is_gone_after_stop():
    box = start(contacts=20, messages=2)
    with box:
        assert call(box, "/contacts", params={"status": "total"}).json()["total"] == 20
        assert "password" not in repr(box)
        assert os.getpgid(box.pid)
    box.stop()
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{box.base_url}/time", timeout=5)


@pytest.mark.usefixtures("own_interpreter")
def test_it_ends_when_the_parents_end_of_stdin_closes():
    box = start(contacts=20, messages=2)
    try:
        assert box.process.stdin is not None
        box.process.stdin.close()
        assert box.process.wait(10) == 0
    finally:
        box.stop()


@pytest.mark.parametrize("how", ["stop", "SIGTERM", "SIGINT", "SIGHUP", "stdin"])
def test_its_folder_goes_with_it_however_it_is_ended(how: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    box = start(contacts=20, messages=2)
    (made,) = tmp_path.glob("icx-sandbox-*")
    assert made.name.startswith(f"icx-sandbox-{box.pid}-")
    try:
        if how.startswith("SIG"):
            box.process.send_signal(getattr(signal, how))
            assert box.process.wait(10) == 0
        elif how == "stdin":
            assert box.process.stdin is not None
            box.process.stdin.close()
            assert box.process.wait(10) == 0
    finally:
        box.stop()
    assert list(tmp_path.glob("icx-sandbox-*")) == []


def test_a_killed_one_is_tidied_up_after_by_the_next(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    gone, alive = start(contacts=20, messages=2), start(contacts=20, messages=2)
    gone.process.kill()
    gone.process.wait()
    gone.stop()
    left = {path.name.split("-")[2]: path for path in tmp_path.glob("icx-sandbox-*")}
    assert set(left) == {str(gone.pid), str(alive.pid)}
    others = [tmp_path / f"icx-sandbox-{gone.pid}-is-a-file", tmp_path / "icx-sandbox-notes"]
    others[0].write_text("kept")
    others[1].mkdir()
    assert sweep(tmp_path) == 1
    assert sorted(tmp_path.glob("icx-sandbox-*")) == sorted([left[str(alive.pid)], *others])
    alive.stop()


def test_ended_before_it_answers_it_leaves_nothing(tmp_path: Path) -> None:
    line = [sys.executable, "-m", "icx.sandbox", "--contacts", "200000", "--messages", "2"]
    with subprocess.Popen(line, env=os.environ | {"TMPDIR": str(tmp_path)}) as running:
        while not list(tmp_path.glob("icx-sandbox-*/*")):
            time.sleep(0.05)
        running.terminate()
        assert running.wait(20) == 130
    assert list(tmp_path.glob("icx-sandbox-*")) == []


def test_the_first_line_is_one_object():
    line = [sys.executable, "-m", "icx.sandbox", "--contacts", "20", "--messages", "2", "--json", "--account", "7",
            "--folder", "8", "--app-id", "x" * 32, "--username", "u", "--password", "p"]  # fmt: skip
    with subprocess.Popen(line, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        facts = json.loads(running.stdout.readline())
        running.terminate()
    assert list(facts) == [
        "base_url",
        "app_id",
        "username",
        "password",
        "account_id",
        "client_folder_id",
        "pid",
    ]
    assert facts["base_url"].endswith("/icp")
    assert (facts["account_id"], facts["client_folder_id"], facts["username"], facts["password"]) == (
        7,
        8,
        "u",
        "p",
    )
    assert facts["pid"] == running.pid


def test_people_get_readable_lines():
    line = [sys.executable, "-m", "icx.sandbox", "--contacts", "20", "--messages", "2"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        first = running.stdout.readline()
        rest = [running.stdout.readline() for _ in range(6)]
        running.terminate()
    assert first.startswith("A simulated iContact answers at http://127.0.0.1:")
    assert "any is accepted" in rest[0]


def test_one_seed_one_login_another_seed_another():
    def login(seed: int) -> serve.Identity:
        return serve.identity(serve.parser().parse_args(["--seed", str(seed)]))

    assert login(1) == login(1)
    assert login(1) != login(2)
    assert len(login(1).app_id) == 32


def test_a_taken_port_and_bad_files_are_said_in_one_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert serve.main(["--port", str(taken.getsockname()[1])], io.StringIO()) == 2
    with pytest.raises(SandboxFailed, match="contacts"):
        start(load=tmp_path)
    with pytest.raises(SandboxFailed, match="--as-of"):
        start(as_of="soon")


def test_a_state_file_is_gone_on_with_and_can_be_edited_meanwhile(tmp_path):
    path = tmp_path / "account.sqlite"
    with start(state=path, contacts=20, messages=2, as_of="2026-03-02T09:15:00-05:00") as box:
        assert requests.get(f"{box.base_url}/time", timeout=5).json()["time"].startswith("2026-03-02T09:15")
        made = call(box, "/contacts", "POST", json=[{"email": "new@example.com"}]).json()["contacts"][0]
        con = sqlite3.connect(path)
        con.execute("update contacts set city = 'Cary' where contact_id = ?", [int(made["contactId"])])
        con.commit()
        con.close()
        assert call(box, f"/contacts/{made['contactId']}").json()["contact"]["city"] == "Cary"
    with start(state=path) as again:
        assert (again.account_id, again.client_folder_id) == (box.account_id, box.client_folder_id)
        assert call(again, "/contacts", params={"status": "total"}).json()["total"] == 21
        assert requests.get(f"{again.base_url}/time", timeout=5).json()["time"].startswith("2026-03-02T09:1")


def test_several_accounts_and_folders():
    with start(contacts=20, messages=2, accounts=2, folders=3) as box:
        accounts = requests.get(f"{box.base_url}/a", headers=headers(box), timeout=5).json()["accounts"]
        assert [row["accountId"] for row in accounts] == [str(box.account_id), str(box.account_id + 1)]
        first = requests.get(f"{box.base_url}/a/{box.account_id}/c", headers=headers(box), timeout=5).json()
        assert (first["total"], first["clientfolders"][0]["clientFolderId"]) == (3, str(box.client_folder_id))


def test_json_under_text_html_and_the_real_reason_phrases():
    with start(contacts=20, messages=2, html_type=True) as box:
        found = call(box, "/lists")
        assert found.headers["content-type"] == "text/html; charset=utf-8"
        assert found.json()["limit"] == 20
        refused = requests.get(f"{box.base_url}/a", timeout=5)
        assert (refused.status_code, refused.reason) == (401, "Authorization Required")
        assert call(box, "/nowhere").reason == "Method Not Implemented"
        assert not {"etag", "location", "www-authenticate", "server"} & {
            name.lower() for name in refused.headers
        }


def test_answers_are_json_gzipped_when_asked_for(sandbox):
    raw = requests.get(
        folder(sandbox) + "/contacts?status=total&limit=400",
        headers=headers(sandbox),
        stream=True,
        timeout=10,
    )
    assert raw.headers["content-encoding"] == "gzip"
    assert len(json.loads(gzip.decompress(raw.raw.read()))["contacts"]) == 400
    plain = requests.get(
        folder(sandbox) + "/contacts?limit=400",
        headers=headers(sandbox) | {"Accept-Encoding": "identity"},
        timeout=10,
    )
    assert "content-encoding" not in plain.headers
    assert plain.headers["content-type"] == "application/json"


def test_header_names_in_any_case_and_chunked_bodies_that_wait_for_100(fresh_sandbox):
    box = fresh_sandbox()
    where = urlsplit(folder(box))
    body = json.dumps([{"email": "chunked@example.com"}]).encode()
    lines = [f"POST {where.path}/contacts HTTP/1.1", f"Host: {where.netloc}", "Expect: 100-continue"]
    lines += [f"{name.lower()}: {value}" for name, value in headers(box).items()] + [
        "Transfer-Encoding: chunked"
    ]
    with socket.create_connection((where.hostname, where.port), timeout=10) as wire:
        wire.sendall("\r\n".join([*lines, "", ""]).encode())
        assert wire.recv(1000).startswith(b"HTTP/1.1 100 Continue")
        wire.sendall(f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n")
        response = http.client.HTTPResponse(wire)
        response.begin()
        assert json.loads(response.read())["contacts"][0]["email"] == "chunked@example.com"
        response.close()


def test_a_body_on_a_get_is_tolerated(sandbox):
    assert call(sandbox, "/lists", data="{}").status_code == 200


def test_sixty_reads_at_once_within_five_seconds(sandbox):
    began = time.monotonic()
    with ThreadPoolExecutor(60) as threads:
        found = list(threads.map(lambda n: call(sandbox, f"/contacts?email=p{n}*"), range(60)))
    assert [each.status_code for each in found] == [200] * 60
    assert time.monotonic() - began < 5


def raw(box: SandboxProcess, request: str) -> bytes:
    """Send bytes as they are and return everything until the server ends the connection."""
    url = urlsplit(box.base_url)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers(box).items())
    with socket.create_connection((url.hostname, url.port), timeout=10) as line:
        line.sendall((request + lines + "\r\n").encode())
        return b"".join(iter(lambda: line.recv(65536), b""))


def test_an_old_http_version_and_a_wish_to_close_are_kept(sandbox):
    path = urlsplit(folder(sandbox)).path + "/lists"
    old = raw(sandbox, f"GET {path} HTTP/1.0\r\n")  # without a Host, and it waits for the end
    assert b" 200 " in old[:20]
    assert b"chunked" not in old.lower()
    assert b'"lists"' in old
    closed = raw(sandbox, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n")
    assert b"connection: close" in closed.lower()
    assert b'"lists"' in closed


def test_two_requests_in_one_packet_are_answered_in_turn(sandbox):
    first = f"GET {urlsplit(sandbox.base_url).path}/time HTTP/1.1\r\nHost: x\r\n\r\n"
    second = f"GET {urlsplit(folder(sandbox)).path}/lists HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    answers = raw(sandbox, first + second)
    assert answers.count(b"HTTP/1.1 200 ") == 2
    assert answers.index(b'"timestamp"') < answers.index(b'"lists"')


def test_sixty_whole_accounts_at_once(sandbox):
    """The largest `limit` in the field, asked for by sixty at a time: every answer is whole."""
    with ThreadPoolExecutor(60) as pool:
        found = list(
            pool.map(lambda _: call(sandbox, "/contacts?status=total&limit=20000").json(), range(60))
        )
    assert {len(body["contacts"]) for body in found} == {400} == {body["total"] for body in found}


def test_latency_is_felt_by_each_call_and_not_summed():
    with start(contacts=20, messages=2, latency=300) as box, ThreadPoolExecutor(5) as threads:
        began = time.monotonic()
        list(threads.map(lambda _: call(box, "/lists"), range(5)))
        assert 0.3 <= time.monotonic() - began < 1.4


def test_calls_are_counted(fresh_sandbox):
    box = fresh_sandbox()
    call(box, "/lists?limit=1")
    call(box, "/lists/")
    counted = requests.get(f"{box.control_url}/calls", timeout=5).json()
    assert counted == {"calls": [{"method": "GET", "path": "/lists", "count": 2}], "total": 2}
    requests.delete(f"{box.control_url}/calls", timeout=5)
    assert requests.get(f"{box.control_url}/calls", timeout=5).json()["total"] == 0


def test_violations_and_machine_labels_are_told(fresh_sandbox):
    box = fresh_sandbox(consent="permissive", contacts=200, messages=6)
    made = call(
        box, "/contacts", "POST", json=[{"email": "dnc@example.com", "status": "donotcontact"}]
    ).json()
    contact = made["contacts"][0]["contactId"]
    assert requests.get(f"{box.control_url}/violations", timeout=5).json() == {"violations": []}
    call(box, f"/contacts/{contact}", "POST", json={"status": "normal"})
    row = requests.get(f"{box.control_url}/violations", timeout=5).json()["violations"][0]
    assert (row["kind"], row["contact_id"], row["was"], row["became"]) == (
        "lifted",
        int(contact),
        "donotcontact",
        "normal",
    )
    assert row["request"].startswith("POST /a/")
    labels = requests.get(f"{box.control_url}/machine-labels", timeout=5).json()["machine"]
    assert all(set(row) == {"event_id", "message_id", "kind", "contact_id"} for row in labels)


# --- faults


def test_faults_come_after_some_calls_and_pass(fresh_sandbox):
    box = fresh_sandbox()
    order(box, match="GET /lists", fault="503", after=1, times=2)
    assert [call(box, "/lists").status_code for _ in range(5)] == [200, 503, 503, 200, 200]
    order(box, match="GET /contacts/*/actions", fault="500")
    assert call(box, "/contacts").status_code == 200
    assert call(box, "/contacts/70001/actions").status_code == 500
    order(box, fault="401")
    found = call(box, "/lists")
    assert (found.status_code, found.json()) == (401, {"errors": ["Api username invalid"]})


def test_a_connection_may_end_before_or_after_the_write(fresh_sandbox):
    box = fresh_sandbox()
    for fault, kept in (("close-before", 0), ("close-after-write", 1)):
        order(box, match="POST /contacts", fault=fault)
        with pytest.raises(requests.ConnectionError):
            call(box, "/contacts", "POST", json=[{"email": f"{fault}@example.com"}])
        assert call(box, f"/contacts?email={fault}@example.com").json()["total"] == kept


def test_half_an_answer_a_page_of_html_and_a_total_that_moves(fresh_sandbox):
    box = fresh_sandbox()
    order(box, match="GET /lists", fault="truncate")
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        call(box, "/lists")
    order(box, match="GET /lists", fault="html-type")
    assert call(box, "/lists").headers["content-type"].startswith("text/html")
    order(box, match="GET /lists", fault="html-page")
    assert call(box, "/lists").text.startswith("<html>")
    steady = call(box, "/lists").json()["total"]
    order(box, match="GET /lists", fault="total-moves", by=3)
    assert call(box, "/lists").json()["total"] == steady + 3
    order(box, match="GET /lists", fault="slow", seconds=0.4)
    began = time.monotonic()
    assert call(box, "/lists").json()["total"] == steady
    assert time.monotonic() - began >= 0.4


def test_an_order_nobody_understands_is_refused_and_orders_can_be_taken_back(fresh_sandbox):
    box = fresh_sandbox()
    for wrong in ({"fault": "rain"}, {"fault": "200"}, {"fault": "503", "often": 2}):
        assert requests.post(f"{box.control_url}/faults", json=wrong, timeout=5).status_code == 400
    order(box, fault="503", times=9)
    assert requests.get(f"{box.control_url}/faults", timeout=5).json()["faults"][0]["times"] == 9
    requests.delete(f"{box.control_url}/faults", timeout=5)
    assert call(box, "/lists").status_code == 200
