"""Mutants of SQL: each condition dropped or turned, each join, bound, default and branch made another."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator

SQL = re.compile(
    r"\b(select|insert into|delete from|union|left join|group by)\b|\bupdate [\w{}.]+ set\b|= \$\w|= \?"
    r"|^ ?(and|or|where|from) |with \w+ as"
)
JOINS = r"\b(and|or|where|on|when|having|qualify)\b"
END = re.compile(
    r"\b(and|or|group by|order by|limit|qualify|union|then|having|returning|left join|join|semi join|anti join|from"
    r"|select|as|where|end|else|when)\b"
)
BETWEEN = re.compile(r"\bbetween\s+\S+\s*$")
SWAPS = [
    (r">=", ">"), (r"<=", "<"), (r"<>", "="), (r"(?<![<>=-])>(?!=)", ">="), (r"(?<![<>=])<(?![>=])", "<="),
    (r"\bnot in\b", "in"), (r"(?<!not )\bin \(", "not in ("), (r"\bnot (?!in|exists|null|distinct)", ""),
    (r"\bnot exists\b", "exists"), (r"(?<!not )\bexists\b(?= *\()", "not exists"),
    (r"\bis not null\b", "is null"), (r"\bis null\b", "is not null"),
    (r"\bis not distinct from\b", "="), (r"\bis not distinct from\b", "is distinct from"),
    (r"\bis distinct from\b", "<>"), (r"\bis distinct from\b", "is not distinct from"),
    (r"\bmin\(", "max("), (r"\bmax\(", "min("), (r"\barg_min\(", "arg_max("), (r"\barg_max\(", "arg_min("),
    (r"\bbool_or\(", "bool_and("), (r"\bleft join\b", "join"), (r"\bfull join\b", "join"),
    (r"\banti join\b", "semi join"), (r"\bsemi join\b", "anti join"), (r"(?<!is )(?<!not )\bdistinct (?!from)", ""),
    (r" desc\b", ""), (r"\binterval \d+ ", "interval 0 "), (r"\bunion\b(?! all)", "union all"), (r"\blimit 1\b", ""),
]  # fmt: skip


def mutants(text: str, path: str) -> list[tuple[int, str, str]]:
    """Return the line, what is changed in it, and the whole file's text with it; of a Python file only its SQL."""
    found: dict[str, tuple[int, str]] = {}
    for begin, end in _strings(text, path):
        for first, last, new, what in _changes(text[begin:end]):
            changed = text[: begin + first] + new + text[begin + last :]
            line = text.count("\n", 0, begin + first) + 1
            if changed != text and (path.endswith(".sql") or _compiles(changed)):
                found.setdefault(changed, (line, what))
    return [(line, what, changed) for changed, (line, what) in found.items()]


def _compiles(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def _strings(text: str, path: str) -> Iterator[tuple[int, int]]:
    """Yield where the insides of SQL strings begin and end; those that stand side by side are one text."""
    if path.endswith(".sql"):
        yield 0, len(text)
        return
    docs = {
        (node.lineno, node.col_offset)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    begins = [0]
    for line in text.splitlines(keepends=True):
        begins.append(begins[-1] + len(line))
    group: list[tokenize.TokenInfo] = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.STRING and token.start not in docs:
            group.append(token)
        elif token.type not in {tokenize.NL, tokenize.COMMENT}:
            if any(SQL.search(one.string) for one in group):
                for one in group:
                    quote = re.match(r"[a-zA-Z]*(\"\"\"|'''|\"|')", one.string)
                    assert quote is not None
                    begin, end = begins[one.start[0] - 1] + one.start[1], begins[one.end[0] - 1] + one.end[1]
                    yield begin + quote.end(), end - len(quote.group(1))
            group = []


class _Text:
    """SQL without its comments, and how deep in parentheses each letter is (quoted: nowhere)."""

    QUOTED = 99

    def __init__(self, sql: str) -> None:
        self.sql = re.sub(r"--[^\n]*", lambda found: " " * len(found.group()), sql)
        self.deep: list[int] = []
        depth, quoted = 0, False
        for letter in self.sql:
            quoted ^= letter == "'"
            depth -= letter in ")]" and not quoted
            self.deep.append(self.QUOTED if quoted else depth)
            depth += letter in "([" and not quoted

    def words(self, pattern: str) -> Iterator[re.Match[str]]:
        return (one for one in re.finditer(pattern, self.sql) if self.deep[one.start()] != self.QUOTED)

    def end(self, begin: int, depth: int, word: re.Pattern[str]) -> int:
        """Where what begins here ends: at a word of the same depth, or with the parentheses around it."""
        for at in range(begin, len(self.sql)):
            if self.deep[at] < depth or (self.sql[at] == ";" and self.deep[at] == depth):
                return at
            found = (
                word.match(self.sql, at) if self.deep[at] == depth and self.sql[at - 1] not in "._" else None
            )
            ranged = found and found.group() == "and" and BETWEEN.search(self.sql[:at])
            if found and not ranged and not self.sql[:at].endswith("distinct "):
                return at
        return len(self.sql)


def _changes(sql: str) -> Iterator[tuple[int, int, str, str]]:
    """Yield begin, end, what is put there, and words for it."""
    text = _Text(sql)
    yield from _conditions(text)
    for pattern, other in SWAPS:
        for one in text.words(pattern):
            yield one.start(), one.end(), other, f"{one.group()} -> {other}"
    for one in text.words(r"\bcoalesce\("):
        depth = text.deep[one.start()]
        close = text.sql.index(")", one.end())
        while text.deep[close] != depth:
            close = text.sql.index(")", close + 1)
        commas = [at for at in range(one.end(), close) if text.sql[at] == "," and text.deep[at] == depth + 1]
        whole = text.sql[one.start() : close + 1]
        if commas:
            yield one.start(), close + 1, text.sql[one.end() : commas[0]], f"{whole}: no default"
            yield one.start(), close + 1, text.sql[commas[-1] + 1 : close], f"{whole}: the default alone"
    for one in text.words(r"\bin \(('[^)]*')\)"):
        items = [item.strip() for item in one.group(1).split(",")]
        for number, item in enumerate(items):
            rest = items[:number] + items[number + 1 :] or ["'nothing'"]
            yield one.start(1), one.end(1), ", ".join(rest), f"{item} taken out"
    yield from _branches(text)


def _conditions(text: _Text) -> Iterator[tuple[int, int, str, str]]:
    for one in text.words(JOINS):
        word = one.group()
        conflict = word == "on" and re.match(r"\s*conflict", text.sql[one.end() :])
        if conflict or (word == "and" and BETWEEN.search(text.sql[: one.start()])):
            continue
        end = text.end(one.end(), text.deep[one.start()], END)
        body = " ".join(text.sql[one.end() : end].split())
        if not body:
            continue
        for value in ("true", "false") if word == "when" else ("false",) if word == "or" else ("true",):
            yield one.end(), end, f" {value} ", f"{word} {body}: {value}"
        if word in {"and", "or"}:
            other = {"and": "or", "or": "and"}[word]
            yield one.start(), one.end(), other, f"{word} -> {other} before {body}"


def _branches(text: _Text) -> Iterator[tuple[int, int, str, str]]:
    """Drop what comes after a union, and what comes before the first."""
    for one in text.words(r"\bunion( all)?\b"):
        depth = text.deep[one.start()]
        end = text.end(one.end(), depth, re.compile(r"\bunion\b"))
        yield (
            one.start(),
            end,
            " ",
            f"without the branch after: {' '.join(text.sql[one.end() : end].split())}",
        )
        before = [
            at
            for at in range(one.start())
            if (text.deep[at] == depth - 1 and text.sql[at] == "(")
            or (text.deep[at] == depth and re.match(r";|\bas\s*\n|\bunion\b", text.sql[at:]))
        ]
        begin = before[-1] if before else -1
        if not text.sql.startswith("union", begin):
            begin += 2 if text.sql.startswith("as", begin) else 1
            branch = " ".join(text.sql[begin : one.start()].split())
            yield begin, one.end(), " ", f"without the branch before: {branch}"
