"""What can be wrong with a cluster, told in four parts."""

from __future__ import annotations

from pathlib import Path

from icx.errors import BadInput, Damaged, IcxError, NeedsYou, Refused, TryLater

KEPT = "the profile, the audiences and the database as they were"
HERE = "the same command without --engine computes it on this machine"


def no_pyspark() -> NeedsYou:
    return NeedsYou(
        "spark-missing",
        "Spark's Python package is not installed.",
        where="pyspark, of the same version as the cluster",
        kept=KEPT,
        next=[["pip", "install", "pyspark>=4,<5"], HERE],
    )


def no_java(where: str) -> NeedsYou:
    return NeedsYou(
        "java-missing",
        "Spark needs Java 17 or newer on this machine, and there is none.",
        where=where,
        kept=KEPT,
        next=[["apt-get", "install", "openjdk-17-jre-headless"], HERE],
    )


def no_master(master: str) -> BadInput:
    return BadInput(
        "spark-master",
        f'"{master}" is no address of a Spark master.' if master else "Which Spark master is not said.",
        where="--master",
        kept=KEPT,
        next=["--master spark://host:7077, or --master 'local[2]' to try it on this machine"],
    )


def unreachable(master: str, why: str) -> TryLater:
    return TryLater(
        "spark-unreachable",
        "The Spark master does not answer.",
        where=f"{master}: {why}",
        kept=KEPT,
        next=["start the master, or mend --master; then the same command", HERE],
    )


def not_taken(master: str, version: str, log: Path) -> Refused:
    return Refused(
        "spark-refused",
        "The Spark master answers, but does not take this program; most often its version is another one.",
        where=f"{master}; here is Spark {version}; its own words: {log}",
        kept=KEPT,
        next=["pip install pyspark==THE VERSION OF THE CLUSTER, then the same command", HERE],
    )


def did_not_start(why: str, log: Path) -> Damaged:
    return Damaged(
        "spark-start",
        f"Spark did not start: {why}.",
        where=f"{log}",
        kept=KEPT,
        next=["mend what it says there, then the same command", HERE],
    )


def no_workers(master: str, seconds: float) -> TryLater:
    return TryLater(
        "spark-no-workers",
        f"No worker took the work within {seconds / 60:.0f} minutes.",
        where=master,
        kept=KEPT,
        next=["start workers, or wait until they are free; then the same command", HERE],
    )


def not_shared(folder: Path, why: str) -> NeedsYou:
    return NeedsYou(
        "folder-not-shared",
        "The workers of the cluster do not see what this machine writes, or it does not see what they write.",
        where=f"{folder}: {why}",
        kept=KEPT,
        next=["--folder DIR, one that this machine and every worker can write under the same path", HERE],
    )


def failed(what: str, words: str, log: Path) -> Refused:
    return Refused(
        "spark-failed",
        f"Spark could not compute {what}: {words}",
        where=f"{log}",
        kept=KEPT,
        next=["mend what it says, then the same command", HERE],
    )


def other_rows(what: str, expected: int, found: int) -> Damaged:
    return Damaged(
        "scale-rows",
        f"Spark gave {found:,} rows of {what}; {expected:,} were expected.",
        where=what,
        kept=KEPT,
        next=["the same command again", HERE],
    )


def taken(folder: Path) -> BadInput:
    return BadInput(
        "folder-taken",
        "There is something in the folder that the profile shall be written to.",
        where=f"--to {folder}",
        kept="nothing was started",
        next=["--to DIR, one that is not there yet or is empty"],
    )


def built_meanwhile(connection: str) -> TryLater:
    return TryLater(
        "built-meanwhile",
        f"Another build of {connection} ended while Spark computed; its profile stays.",
        where=connection,
        kept="the profile as that build made it",
        next=["the same command again, where a cluster's is still wanted"],
    )


def engine_of_process() -> NeedsYou:
    return NeedsYou(
        "spark-in-use",
        "This process has a Spark session of its own already, and Spark allows one.",
        where="this notebook or program",
        kept=KEPT,
        next=["spark.stop(), then the same again", "icx build --engine spark in a terminal"],
    )


Trouble = IcxError
