"""A Spark session that icx asks: started, asked, stopped by Ctrl-C, ended. Nowhere else is pyspark imported."""

from __future__ import annotations

import logging
import re
import shutil
import subprocess
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from icx.clock import SYSTEM, Clock
from icx.errors import IcxError
from icx.scale import troubles
from icx.scale.cluster import Cluster
from icx.scale.dialect import Spoken, spoken

T = TypeVar("T")
LOOK = 0.2  # seconds between two looks at how far it is
START_MINUTES = 10.0  # Spark itself gives a master up after one; a busy machine needs some before it asks
WORKERS_MINUTES = 10.0  # as long as a run waits for the database
QUIET = 10.0  # seconds without a worker after which it is worth saying
# Times are naive UTC on both sides, and what DuckDB calls `timestamp` is what Spark calls so here.
SETTINGS = {
    "spark.app.name": "icx",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.caseSensitive": "false",
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
LOGGING = """\
rootLogger.level = warn
rootLogger.appenderRef.stderr.ref = stderr
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = %d{yyyy-MM-dd HH:mm:ss} %p %c{1}: %m%n%ex
"""


@dataclass
class Spark:
    """A session under way.

    `folder` is this run's own, under the cluster's; `say(done, of, note)` hears how far a statement is, in tasks.
    """

    session: Any
    cluster: Cluster
    folder: Path
    log: Path
    clock: Clock = SYSTEM
    say: Callable[[int, int, str], None] = lambda done, of, note: None
    _worker: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "icx-spark"))
    _made: int = 0

    def view(self, name: str, folder: Path) -> None:
        """Let a folder of Parquet files be read under a name."""
        place = str(folder).replace("`", "``")
        self._do(
            name,
            lambda: self._sql(
                f"create or replace temporary view {_name(name)} as select * from parquet.`{place}`"
            ),
        )

    def define(self, name: str, sql: str) -> None:
        """Let a query in DuckDB's SQL be read under a name; it is computed whenever it is read."""
        text = _plain(spoken(sql), name)
        self._do(name, lambda: self._sql(f"create or replace temporary view {_name(name)} as {text}"))

    def make(self, name: str, sql: str, params: Any = ()) -> Path:
        """Compute a query in DuckDB's SQL into Parquet files, to be read under a name; return their folder."""
        said = spoken(sql, params)
        self._prepare(said)
        return self._write(name, said.text, said.args)

    def write(self, sql: str, folder: Path) -> None:
        """Write what a query in DuckDB's SQL gives as Parquet files into a folder that stays, and is not there yet."""
        text = _plain(spoken(sql), str(folder))
        self._do(str(folder), lambda: self._sql(text).write.parquet(str(folder)))

    def rows(self, sql: str, params: Any = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query in DuckDB's SQL."""
        said = spoken(sql, params)
        self._prepare(said)
        return [
            tuple(row) for row in self._do("an answer", lambda: self._ask(said.text, said.args).collect())
        ]

    def _prepare(self, said: Spoken) -> None:
        """Make the tables a statement reads, and ask for the values it looks into."""
        for name, query in said.tables:
            self._write(name, query, said.args)
        for name, query in said.values:
            self._do(name, partial(self._keep, name, query, said.args))

    def _write(self, name: str, text: str, args: dict[str, Any]) -> Path:
        self._made += 1
        folder = self.folder / f"made-{self._made}"
        self._do(name, lambda: self._ask(text, args).write.mode("overwrite").parquet(str(folder)))
        self.view(name, folder)
        return folder

    def _keep(self, name: str, query: str, args: dict[str, Any]) -> None:
        kind = self._ask(query, args).schema[0].dataType.simpleString()
        self._sql(f"declare or replace variable {name} {kind}")
        self._ask(f"set variable {name} = ({query})", args)

    def _ask(self, text: str, args: dict[str, Any]) -> Any:
        return self.session.sql(text, args=args or None)

    def _sql(self, text: str) -> Any:
        return self.session.sql(text)

    # --- one statement ----------------------------------------------------------------------------------------------

    def _do(self, what: str, do: Callable[[], T]) -> T:
        """Let the worker thread do it, tell how far it is, and stop it when this thread is stopped."""
        return waited(
            self._worker.submit(do),
            self._look,
            self._cancel,
            lambda error: self._told(what, error),
            self.clock,
        )

    def _look(self, seconds: float) -> None:
        tracker = self.session.sparkContext.statusTracker()
        done = whole = active = 0
        for stage in tracker.getActiveStageIds():
            info = tracker.getStageInfo(stage)
            if info is not None:
                done, whole = done + info.numCompletedTasks, whole + info.numTasks
                active += info.numActiveTasks
        idle = bool(whole) and not done and not active
        if idle and seconds > WORKERS_MINUTES * 60:
            raise troubles.no_workers(self.cluster.master, seconds)
        self.say(done, whole, "waiting for a worker" if idle and seconds > QUIET else "")

    def _cancel(self) -> None:
        with suppress(Exception):
            self.session.sparkContext.cancelAllJobs()

    def _told(self, what: str, error: Exception) -> IcxError:
        words = first_words(error)
        if re.search(
            r"FILE_NOT_EXIST|PATH_NOT_FOUND|UNABLE_TO_INFER_SCHEMA|FileNotFound|Permission denied|Mkdirs failed",
            str(error),
        ):
            return troubles.not_shared(self.cluster.folder, words)
        return troubles.failed(what, words, self.log)

    def check_folder(self) -> None:
        """Let the workers write into the folder and read it here, and the other way round; raise "folder-not-shared"."""
        here, there = self.folder / "seen-from-here", self.folder / "seen-from-there"
        here.mkdir()
        (here / "word.txt").write_text("icx\n", encoding="utf-8")
        (count,) = self._do("a first look", lambda: (self.session.read.text(str(here)).count(),))
        self._do("a first look", lambda: self.session.range(0, 4, 1, 4).write.parquet(str(there)))
        found = len(list(there.glob("*.parquet")))
        if count != 1 or found == 0:
            raise troubles.not_shared(self.cluster.folder, f"{found} of 4 files of the workers are here")

    def end(self) -> None:
        """End the session, and the Java side with it."""
        self._worker.shutdown(wait=False, cancel_futures=True)
        with suppress(Exception):
            self.session.stop()
        _end_java()


@contextmanager
def started(
    cluster: Cluster, name: str, *, clock: Clock = SYSTEM, say: Callable[[int, int, str], None] | None = None
) -> Iterator[Spark]:
    """Start Spark for a run called `name`, and end it with the block; its folder is removed then.

    Raises what `Cluster.check` does, "spark-refused", "spark-start", "spark-in-use", "folder-not-shared".
    """
    host = cluster.check()
    tell = say or (lambda done, of, note: None)
    folder = (cluster.folder / name).resolve()
    shutil.rmtree(folder, ignore_errors=True)  # of a run that was cut off
    folder.mkdir(parents=True)
    log = folder.parent / "spark.log"
    tell(0, 0, f"starting Spark at {cluster.master}")
    try:
        spark = Spark(_session(cluster, folder, log, host, clock), cluster, folder, log, clock, tell)
        try:
            if not cluster.master.startswith("local"):
                spark.check_folder()
            yield spark
        finally:
            spark.end()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _session(cluster: Cluster, folder: Path, log: Path, host: str, clock: Clock) -> Any:
    """Start the Java side with its words in a file, then the session, in a thread that may be left behind."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pyspark warns of pandas, which is not used here
        from pyspark import SparkConf, SparkContext
        from pyspark.java_gateway import launch_gateway
        from pyspark.sql import SparkSession
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)  # errors are told once, by us
    if SparkContext._active_spark_context is not None:
        raise troubles.engine_of_process()
    settings = folder / "log4j2.properties"
    settings.write_text(LOGGING, encoding="utf-8")
    conf = SparkConf().setMaster(cluster.master)
    addresses = {"spark.driver.host": host, "spark.driver.bindAddress": host} if host else {}
    java = {"spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={settings.as_uri()}"}
    for key, value in {**SETTINGS, **addresses, **java, **cluster.conf}.items():
        conf.set(key, value)

    def begin() -> Any:
        with warnings.catch_warnings(), log.open("w", encoding="utf-8") as words:
            warnings.simplefilter("ignore")
            gateway = launch_gateway(conf, {"stderr": words, "stdout": words})
            return SparkSession(SparkContext(conf=conf, gateway=gateway))

    def refused(error: Exception) -> IcxError:
        words = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
        if "All masters are unresponsive" in words or "StandaloneSchedulerBackend" in words:
            return _not_taken(cluster, log)
        return troubles.did_not_start(first_words(error), log)

    def look(seconds: float) -> None:
        if seconds > START_MINUTES * 60:
            raise _not_taken(cluster, log)

    worker = ThreadPoolExecutor(1, "icx-spark-start")
    try:
        return waited(worker.submit(begin), look, _end_java, refused, clock)
    finally:
        worker.shutdown(wait=False)


def _not_taken(cluster: Cluster, log: Path) -> IcxError:
    import pyspark

    return troubles.not_taken(cluster.master, pyspark.__version__, log)


def _end_java() -> None:
    """End the Java side that this process started; it has a gigabyte, and the next session starts another."""
    from pyspark import SparkContext

    gateway, SparkContext._gateway, SparkContext._jvm = SparkContext._gateway, None, None
    if gateway is None:
        return
    with suppress(Exception):
        gateway.shutdown()
    gateway.proc.stdin.close()  # which it takes for our end
    try:
        gateway.proc.wait(10)
    except subprocess.TimeoutExpired:
        gateway.proc.kill()
        gateway.proc.wait()


def waited(
    future: Future[T],
    look: Callable[[float], None],
    stop: Callable[[], None],
    told: Callable[[Exception], IcxError],
    clock: Clock,
) -> T:
    """Return what a thread gives, looking meanwhile; whatever stops this thread stops the work too."""
    began = clock.monotonic()
    try:
        while True:
            try:
                return future.result(timeout=LOOK)
            except NotYet:
                if future.done():
                    raise
                look(clock.monotonic() - began)
    except IcxError:
        stop()
        raise
    except Exception as error:
        if future.done():
            raise told(error) from error
        stop()
        raise
    except BaseException:  # Ctrl-C
        stop()
        raise


def first_words(error: Exception) -> str:
    """Return what an error of Spark says first, in a line.

    >>> first_words(ValueError("[UNRESOLVED_COLUMN] A column with name `x` cannot be resolved. SQLSTATE: 42703; line 1"))
    'A column with name `x` cannot be resolved'
    """
    text = str(error)
    for cause in re.findall(r"Caused by: [\w.$]+: (.+)", text)[-1:]:
        text = cause
    line = next((line.strip() for line in text.splitlines() if line.strip()), type(error).__name__)
    line = re.sub(r"^\[[A-Z0-9_.]+\]\s*", "", line.partition(" SQLSTATE")[0])
    return line[:300].rstrip(". ")


def _name(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _plain(said: Spoken, name: str) -> str:
    if said.args or said.tables or said.values:
        raise ValueError(f"the view {name} holds values or a question of its own")
    return said.text
