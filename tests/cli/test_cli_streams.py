"""What goes where: the result alone on stdout, events as lines, failures in both forms, no code where none may be."""

from __future__ import annotations

import io
import json
import sqlite3
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_commands import Typed, in_an_interpreter

from icx import mask
from icx.cli import failure
from icx.cli.console import Console
from icx.cli.options import Options
from icx.cli.progress import reporter
from icx.cli.table import lay_out
from icx.plan.applied import Progress as Applying


class Terminal(io.StringIO):
    """A text stream that says it is a terminal, of an encoding."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding

    def isatty(self) -> bool:
        return True


def test_the_result_alone_is_on_stdout(typed: Typed, demo: Path) -> None:
    said = typed("lists", "acme", workspace=demo)
    assert said.out.startswith("id\tlist\tmembers")
    assert said.err == ""


def test_a_failure_leaves_stdout_empty_and_says_its_four_parts_on_stderr(typed: Typed, demo: Path) -> None:
    said = typed("plans", "P-99", workspace=demo)
    assert (said.code, said.out) == (2, "")
    lines = said.err.splitlines()
    assert lines[0] == 'icx: There is no plan "P-99". [plan-unknown]'
    assert [line.split()[0] for line in lines[1:]] == ["where", "kept", "next"]
    assert all(len(line.split()) > 1 for line in lines[1:])


@pytest.mark.parametrize(
    "words",
    [
        ["plans", "P-99"],
        ["audience", "show", "Nobody"],
        ["pul"],
        ["plan"],
        ["plan", "X", "--too", "y"],
        ["--wait", "long", "status"],
        ["build", "--as-of", "soon"],
        ["help", "no-such-code"],
        ["attach", "nothing.csv", "--key", "email"],
    ],
)
def test_json_is_one_object_also_when_it_fails(typed: Typed, demo: Path, words: list[str]) -> None:
    said = typed(*words, "--json", workspace=demo)
    assert said.code == 2
    assert said.json["ok"] is False
    assert said.json["exit"] == 2
    assert set(said.json["error"]) == {"code", "message", "where", "kept", "next"}
    assert said.json["error"]["kept"]
    assert said.json["error"]["next"]
    assert said.err.startswith("icx: ")


def test_events_come_as_lines_and_the_last_line_is_the_result(typed: Typed, copy: Path) -> None:
    said = typed("pull", "acme", "--json=lines", "-q", workspace=copy)
    *events, result = [json.loads(line) for line in said.out.splitlines()]
    assert events
    assert all(event["event"] in {"progress", "note", "waiting"} for event in events)
    assert all(event["at"].endswith("Z") for event in events)
    assert result["schema"] == "pull/1"
    assert result["ok"] is True
    assert said.err == ""


def test_quiet_says_only_the_result_and_errors(typed: Typed, copy: Path) -> None:
    said = typed("build", "-q", workspace=copy)
    assert said.out.startswith("Built the profile of acme")
    assert said.err == ""
    assert typed("plans", "P-99", "--quiet", workspace=copy).err.startswith("icx: ")


@pytest.mark.parametrize("words", [["--json", "status"], ["status", "--json"], ["status", "acme", "--json"]])
def test_the_shared_options_stand_before_or_after_the_verb(
    typed: Typed, demo: Path, words: list[str]
) -> None:
    assert typed(*words, workspace=demo).json["ok"] is True


def test_the_workspace_is_an_option_or_the_environment_and_no_folder_above_is_searched(
    demo: Path, tmp_path: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ICX_WORKSPACE", str(demo))
    from icx.cli.options import hoist

    assert hoist(["status"])[0].workspace == demo
    assert hoist(["status", "--workspace", "x"])[0].workspace == Path("x")
    below = demo / "data" / "reports"
    assert typed("status", workspace=below).out.startswith("No connection is saved here yet")


def test_an_unknown_command_names_the_nearest_and_runs_nothing(typed: Typed, tmp_path: Path) -> None:
    said = typed("pul", "acme", workspace=tmp_path)
    assert said.code == 2
    assert "Nearest: `pull`." in said.err
    assert "next   icx pull --help" in said.err
    assert list(tmp_path.iterdir()) == []
    assert "Nearest: `show`." in typed("audience", "shw", "X", workspace=tmp_path).err


def test_usage_blames_nobody(typed: Typed, tmp_path: Path) -> None:
    for words in (
        ["plan", "--too"],
        ["plan"],
        ["pull", "--unit"],
        ["plan", "X", "--to", "y", "--stale", "z"],
        ["lists", "a", "b"],
    ):
        said = typed(*words, workspace=tmp_path)
        assert said.code == 2
        for word in ("nvalid", "llegal", "failed to", "oops", "lease", "!", "rror"):
            assert word not in said.err, said.err


def test_icx_alone_lists_the_commands_and_says_where_to_begin(typed: Typed, tmp_path: Path) -> None:
    said = typed(workspace=tmp_path)
    assert said.code == 0
    assert said.out.rstrip().endswith("New here: icx demo")
    for group in ("Start", "Bring in", "Choose", "Act", "Look after"):
        assert f"\n{group}\n" in said.out


def test_no_escape_code_leaves_where_none_is_wanted() -> None:
    for options in (Options(color=False), Options(quiet=True)):
        err = Terminal()
        console = Console(options, out=Terminal(), err=err)
        console.progress("acme › opens", changed=True)
        console.clear()
        assert "\x1b" not in err.getvalue()


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_the_environment_may_say_so(name: str, value: str) -> None:
    from icx.cli.options import hoist

    assert hoist(["status"], {name: value})[0].color is False


def test_a_terminal_gets_one_line_redrawn_and_taken_away() -> None:
    err = Terminal()
    console = Console(Options(), out=Terminal(), err=err)
    console.progress("one")
    console.progress("two")
    console.note("said")
    assert err.getvalue() == "\r\x1b[Kone\r\x1b[Ktwo\r\x1b[Ksaid\n"


def test_a_log_gets_plain_lines_with_the_time() -> None:
    err = io.StringIO()
    console = Console(Options(), out=io.StringIO(), err=err)
    console.progress("acme › opens", changed=True)
    console.progress("acme › clicks")
    (line,) = err.getvalue().splitlines()
    assert line[2] == line[5] == ":"
    assert line.endswith("acme › opens")


def test_a_log_gets_a_line_per_stage_of_an_apply_and_not_per_batch() -> None:
    err = io.StringIO()
    show = reporter(Console(Options(), out=io.StringIO(), err=err), "P-7", ZoneInfo("UTC"), stages=True)
    for batch in range(1, 40):
        show(
            Applying(
                "adding", batch * 200, 9_000, note=f"batch {batch} · 0 refused · {9_000 - batch:,} calls left"
            )
        )
    for batch in range(40, 60):
        show(Applying("parking", 8_000 + batch, 9_000, note=f"batch {batch} · 0 refused · 8,000 calls left"))
    lines = [line.split(" › ")[1].split(" · ")[0] for line in err.getvalue().splitlines()]
    assert lines == ["adding", "parking"]


@pytest.mark.parametrize(("typed_in", "code"), [("rule.json", "file-unknown"), ("other.json", "bug")])
def test_a_file_that_is_missing_is_blamed_on_whoever_named_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed_in: str, code: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError) as missing:
        (tmp_path / "rule.json").read_text()
    words = ["audience", "count", f"--rule={typed_in}", "--workspace", str(tmp_path)]
    found = failure.of_the_machine(missing.value, Options(), words) or failure.bug(missing.value, Options())
    assert found.code == code


def test_json_names_the_run_that_the_journal_keeps(typed: Typed, copy: Path) -> None:
    first, second = (typed("build", "--json", workspace=copy).json["run"] for _ in range(2))
    assert first.startswith("r-")
    assert int(second[2:]) > int(first[2:])
    assert typed("status", "--json", workspace=copy).json["run"] is None


def test_a_past_moment_is_not_called_the_last_pull(typed: Typed, copy: Path) -> None:
    past = f"{datetime.now(UTC) - timedelta(days=30):%Y-%m-%d}"
    built = typed("build", "--as-of", past, workspace=copy)
    assert built.code == 0, built.err
    assert "next pull" not in built.out
    seen = typed("audience", "show", "Loyal in Durham", "--as-of", past, workspace=copy)
    assert seen.code == 0, seen.err
    assert "a past moment" in seen.out
    assert "last complete pull" not in seen.out
    assert "last complete pull" in typed("audience", "show", "Loyal in Durham", workspace=copy).out


def test_an_unknown_audience_is_looked_for_where_audiences_are(typed: Typed, demo: Path) -> None:
    assert "where  data/audiences/" in typed("audience", "show", "Nobody", workspace=demo).err


def test_a_stream_that_knows_no_symbol_keeps_the_words() -> None:
    out = Terminal("latin-1")
    Console(Options(), out=out).result("▲ explained · 400 → 32 Łódź")
    assert out.getvalue() == "explained - 400 -> 32 \\u0141ód\\u017a\n"
    out = Terminal("ascii")
    Console(Options(), out=out).result("● equal 1 × 2")
    assert out.getvalue() == "equal 1 x 2\n"


def test_a_process_with_an_ascii_stream_says_all_its_words(demo: Path) -> None:
    said = in_an_interpreter("status", workspace=demo, PYTHONUTF8="0", PYTHONIOENCODING="ascii", LC_ALL="C")
    assert said.code == 0
    assert "Acme Outdoor > folder" in said.out
    assert "equal" in said.out or "explained" in said.out


@pytest.mark.parametrize(
    "name", ["[red]VIP[/red]", "[/x]", ":smile:", "\x1b[31mred", "a\u202eb", "two\nlines", "cr\rlf"]
)
def test_text_from_outside_is_shown_and_does_nothing(name: str) -> None:
    for width in (None, 100, 40):
        text = lay_out(["list", "members"], [(name, 3)], right=(1,), width=width)
        assert not set(text) & {"\x1b", "\u202e", "\r"}
        assert len(text.splitlines()) == 2
    out = io.StringIO()
    Console(Options(), out=out).result(f"a list named {name}")
    assert not set(out.getvalue()) & {"\x1b", "\u202e", "\r"}
    if name.isprintable():
        assert name in out.getvalue()


def test_a_hostile_list_and_company_show_as_text(typed: Typed, copy: Path) -> None:
    with sqlite3.connect(copy / "data" / "sandbox-acme.sqlite") as con:
        con.execute("update lists set name = ? where list_id = 3007", ["\x1b[31m[red]VIP[/red]\u202e"])
    con.close()
    typed("pull", "acme", workspace=copy)
    path = copy / "data" / "connections" / "acme.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"company": "[bold]\x1b]0;x\x07Acme"}))
    for words in (["lists", "acme"], ["status"], ["connect", "acme", "--default"]):
        said = typed(*words, workspace=copy)
        assert said.code == 0, said.err
        assert not set(said.out + said.err) & {"\x1b", "\u202e", "\x07"}
    assert "\\x1b[31m[red]VIP[/red]\\u202e" in typed("lists", "acme", workspace=copy).out
    found = typed("lists", "acme", "--json", workspace=copy).json["lists"]
    assert "\x1b[31m[red]VIP[/red]\u202e" in [one["name"] for one in found]


def test_a_wide_table_is_cut_in_the_middle_of_names_and_never_in_figures() -> None:
    rows = [(3004, "Durham regulars of the north and the south side of the long river", 184_302, "x" * 60)]
    text = lay_out(["id", "list", "members", "what it says"], rows, right=(0, 2), width=80)
    assert max(map(len, text.splitlines())) <= 80
    assert "184302" in text
    assert "3004" in text
    assert "…" in text


def test_a_narrow_table_is_one_block_a_record() -> None:
    text = lay_out(["id", "list"], [(3004, "Durham regulars"), (3005, "VIP")], width=15)
    assert text == "id    3004\nlist  Durham regulars\n\nid    3005\nlist  VIP"


def test_a_pipe_gets_whole_lines_with_tabs() -> None:
    name = "n" * 300
    assert lay_out(["id", "list"], [(1, name)]) == f"id\tlist\n1\t{name}"


def test_debug_writes_the_trace_beside_the_reports_and_says_where(
    typed: Typed, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from icx.workspace import Workspace

    def broken(self: Workspace) -> None:
        raise RuntimeError("about jo.doe@example.com and canary-password-1")

    monkeypatch.setenv("ICX_PASSWORD", "canary-password-1")
    monkeypatch.setattr(Workspace, "status", broken)
    said = typed("status", "--debug", workspace=copy)
    assert said.code == 1
    assert "[bug]" in said.err
    (path,) = (copy / "data" / "reports").glob("trace-*.txt")
    assert str(path) in said.err
    text = path.read_text()
    assert "RuntimeError" in text
    assert "jo.doe" not in text + said.err + said.out
    assert "canary" not in text + said.err + said.out


@given(st.text(alphabet=st.sampled_from('an1@.\\"\n\x00\x1b\x9b\u2028\u202eé-'), max_size=30), st.booleans())
def test_json_stays_json_with_the_same_text_when_addresses_in_it_are_masked(text: str, typed: bool) -> None:
    """What JSON writes with a backslash is no letter of an address: not of one to hide, nor of one that was typed."""
    address = "ada@example.com"
    out = io.StringIO()
    said = [f"{text}\n{address}", f"\x9b{address}"]
    Console(Options(), out=out, typed=[address] if typed else []).json({"said": said})
    found = json.loads(out.getvalue())["said"]
    if typed:
        assert [one[-16:] for one in found] == [f"\n{address}", f"\x9b{address}"]
    else:
        assert [one[-10:] for one in found] == ["\na…@e….com", "\x9ba…@e….com"]
    if "@" not in text:
        assert found[0].startswith(text)


def test_a_word_as_long_as_a_picture_is_masked_in_no_time() -> None:
    """Each of its letters could begin an address, and none of them does."""
    word = "a" * 100_000 + " ada@example.com"
    began = time.process_time()
    assert mask.written_in(word).endswith(" a…@e….com")
    assert mask.written_in_json(word).endswith(" a…@e….com")
    assert mask.addresses_in(word).endswith(" a…@e….com")
    assert time.process_time() - began < 5


def test_a_folder_that_is_named_by_an_address_is_told_as_it_is(
    typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the folders of people are who log in with theirs: what is printed with it is there to be pasted."""
    home = tmp_path / "maya@corp.example.com" / "demo"
    home.mkdir(parents=True)
    monkeypatch.chdir(home)
    unit, _ = typed("schedule", "install", "--print", "--json", workspace=Path()).json["units"]
    assert f"WorkingDirectory={home}\n" in unit["text"]
    assert f" --workspace {home} " in typed("schedule", "install", "--print", workspace=Path()).out
