"""A table of an SQL database, by SQLAlchemy, which knows the dialects; it and a driver are installed apart."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from icx.connections.table.source import Row, may_be, unreadable
from icx.connections.table.values import Kind, Known, Rejected, text_of
from icx.errors import BadInput, TryLater, UnknownOutcome

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, Table

    from icx.http import Secret

ASKED = 500  # values in one `in (…)`; some databases take no more than a thousand


class Database:
    """One table of a database. Everything of one `writing` is one transaction."""

    batch = 1_000

    def __init__(self, url: str, name: str, secret: Secret | None) -> None:
        try:
            import sqlalchemy
            from sqlalchemy.engine import make_url
        except ModuleNotFoundError:
            raise _needs("SQLAlchemy", "icx[sql]", url) from None
        try:
            address = make_url(url)
        except sqlalchemy.exc.ArgumentError:
            raise unreadable(
                "This is no address of a database.", "an address is dialect://user@host/database"
            ) from None
        self.name = f"{address.database or address.host or address.drivername}#{name}"
        self._shown = address.render_as_string(hide_password=True)
        self.place = f"{name} {hashlib.sha256(self._shown.encode()).hexdigest()[:12]}"
        if secret is not None:
            address = address.set(password=secret.reveal())
        try:
            self._engine: Engine = sqlalchemy.create_engine(address, hide_parameters=True)
        except ModuleNotFoundError as error:
            raise _needs(str(error.name), str(error.name), self._shown) from None
        except sqlalchemy.exc.NoSuchModuleError:
            raise unreadable(f"There is no kind of database `{address.drivername}`.", self._shown) from None
        schema, _, table = name.rpartition(".")
        self._held: Connection | None = None
        try:
            self._table: Table = sqlalchemy.Table(
                table, sqlalchemy.MetaData(), schema=schema or None, autoload_with=self._engine
            )
        except sqlalchemy.exc.NoSuchTableError:
            raise unreadable(f"There is no table {name} there.", self._shown) from None
        except sqlalchemy.exc.SQLAlchemyError as error:
            raise self._unreached(error) from None

    def __repr__(self) -> str:
        return f"Database({self.name})"

    def columns(self) -> list[Known]:
        whole = self._engine.dialect.name == "sqlite"
        return [_known(column, self._table, whole=whole) for column in self._table.columns]

    def rows(self, column: str | None = None, cells: Collection[Any] = ()) -> Iterator[Row]:
        if column is None:
            yield from self._rows(None)
            return
        wanted = list(cells)
        for start in range(0, len(wanted), ASKED):
            yield from self._rows(self._table.c[column].in_(wanted[start : start + ASKED]))

    def with_text(self, column: str, texts: Collection[str]) -> Iterator[Row]:
        from sqlalchemy import func, or_

        wanted, at = list(texts), list(self._table.c.keys()).index(column)
        for start in range(0, len(wanted), ASKED):
            part = wanted[start : start + ASKED]
            # The database's lower case may know fewer letters than ours: what it brings is compared here.
            one = self._table.c[column]
            for row in self._rows(or_(func.lower(func.trim(one)).in_(part), one.like("%<%"))):
                if may_be(text_of(row[at]), part):
                    yield row

    def twice(self, column: str) -> Mapping[str, int]:
        from sqlalchemy import func, select

        one = self._table.c[column]
        query = select(one, func.count()).where(one.is_not(None)).group_by(one).having(func.count() > 1)
        with self._reading() as con:
            return {text_of(value): count for value, count in con.execute(query)}

    @contextmanager
    def writing(self) -> Iterator[None]:
        from sqlalchemy import exc

        with self._reached() as con:
            self._held = con
            began = con.begin()
            try:
                yield
            except exc.IntegrityError as error:
                began.rollback()
                raise Rejected(_words(error)) from None
            except exc.DBAPIError as error:
                began.rollback()
                if error.connection_invalidated:
                    raise self._unreached(error) from None
                raise Rejected(_words(error)) from None
            except BaseException:
                began.rollback()
                raise
            finally:
                self._held = None
            try:
                began.commit()
            except exc.IntegrityError as error:  # a check that waits for the end
                raise Rejected(_words(error)) from None
            except exc.SQLAlchemyError as error:
                raise UnknownOutcome(
                    "in-doubt",
                    "Changes were sent to the database, and it is not known whether it kept them.",
                    where=f"{self.name}: {type(error).__name__}",
                    kept="they were not sent again",
                    next=["read back what is there now, then go on"],
                ) from None

    def save(
        self, column: str, edits: Mapping[Any, Mapping[str, Any]], new: Sequence[Mapping[str, Any]]
    ) -> list[Any]:
        from sqlalchemy import bindparam, func, select

        assert self._held is not None
        key = self._table.c[column]
        alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for value, cells in edits.items():
            row = {f"v{at}": one for at, one in enumerate(cells.values())} | {"its_key": value}
            alike.setdefault(tuple(cells), []).append(row)
        for names, rows in alike.items():
            change = self._table.update().where(key == bindparam("its_key"))
            change = change.values({name: bindparam(f"v{at}") for at, name in enumerate(names)})
            self._held.execute(change, rows)
        known = next(one for one in self.columns() if one.name == column)
        made = []
        for given in new:
            values = {**given}
            if values.get(column) is None and not known.given:
                values[column] = (
                    int(self._held.execute(select(func.coalesce(func.max(key), 0))).scalar_one()) + 1
                )
            done = self._held.execute(self._table.insert().values(values))
            itself = done.inserted_primary_key if key.primary_key else None
            made.append(values[column] if column in values else itself[0] if itself else None)
        return made

    def _rows(self, where: Any) -> Iterator[Row]:
        query = self._table.select() if where is None else self._table.select().where(where)
        with self._reading() as con:
            for row in con.execution_options(stream_results=True, yield_per=10_000).execute(query):
                yield tuple(row)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        if self._held is not None:
            yield self._held
            return
        with self._reached() as con:
            yield con

    @contextmanager
    def _reached(self) -> Iterator[Connection]:
        from sqlalchemy import exc

        try:
            con = self._engine.connect()
        except exc.SQLAlchemyError as error:
            raise self._unreached(error) from None
        with con:
            yield con

    def _unreached(self, error: Exception) -> TryLater:
        return TryLater(
            "table-unreachable",
            "The database does not answer, or does not let this user in.",
            where=f"{self._shown}: {_words(error)}",
            kept="nothing was saved or changed",
            next=["look at the address, the user and the password, then the same command"],
        )


def _needs(module: str, package: str, url: str) -> BadInput:
    return BadInput(
        "table-source",
        f"Reading this database needs {module}, which is not installed.",
        where=url,
        kept="nothing was saved or changed",
        next=[["pip", "install", package]],
    )


def _words(error: Exception) -> str:
    """Return a database's own words in one line, without an address or the values of a statement."""
    from icx import mask

    first = str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__]
    return mask.plain(mask.addresses_in(first[0]))[:300]


def _known(column: Any, table: Table, *, whole: bool) -> Known:
    """Return what a column can hold; `whole` is whether its integers are as long as any, as SQLite's are."""
    from sqlalchemy import types

    kind: Kind = "other"
    extra: dict[str, Any] = {}
    of = column.type
    if isinstance(of, types.Enum):
        kind, extra = "choice", {"choices": tuple(of.enums)}
    elif isinstance(of, types.String):
        kind, extra = "text", {"longest": of.length}
    elif isinstance(of, types.Boolean):
        kind = "yes/no"
    elif isinstance(of, types.Integer):
        small, big = isinstance(of, types.SmallInteger), isinstance(of, types.BigInteger)
        bits = 16 if small else 64 if big or whole else 32
        kind, extra = "whole", {"least": -(2 ** (bits - 1)), "most": 2 ** (bits - 1) - 1}
    elif isinstance(of, types.Float):
        kind = "number"
    elif isinstance(of, types.Numeric):
        kind = "decimal"
        extra = (
            {"digits": (of.precision - of.scale, of.scale)} if of.precision and of.scale is not None else {}
        )
    elif isinstance(of, types.DateTime):
        kind = "aware" if of.timezone else "moment"
    elif isinstance(of, types.Date):
        kind = "date"
    elif isinstance(of, types.Time):
        kind = "time"
    itself = column is table.autoincrement_column or column.server_default is not None
    return Known(column.name, kind, empty=bool(column.nullable), given=itself, **extra)
