"""Which cluster: its master, the folder everybody sees, and whether this machine can reach it at all."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from icx.scale import troubles

OLDEST_JAVA = 17


@dataclass(frozen=True)
class Cluster:
    """A Spark master (`spark://host:7077`, `local[2]`) and a folder that it, its workers and this machine see alike.

    `conf` are settings of Spark; others come from its own files (`SPARK_CONF_DIR`).
    """

    master: str
    folder: Path
    conf: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> tuple[str, int] | None:
        """The first host and port of a standalone master; None for any other kind."""
        found = re.match(r"spark://([^,:/]+|\[[^\]]+\]):(\d+)", self.master)
        return (found.group(1).strip("[]"), int(found.group(2))) if found else None

    def check(self) -> str:
        """Return this machine's address as the workers will see it, or say what is missing.

        Raises NeedsYou: "spark-missing", "java-missing"; BadInput "spark-master"; TryLater "spark-unreachable".
        """
        another = re.match(r"(local\b|yarn$|k8s://)", self.master)
        if self.address is None and not another:
            raise troubles.no_master(self.master)
        if importlib.util.find_spec("pyspark") is None:
            raise troubles.no_pyspark()
        check_java()
        if self.address is None:
            return "127.0.0.1" if self.master.startswith("local") else ""
        try:
            with socket.create_connection(self.address, timeout=10) as reached:
                return str(reached.getsockname()[0])
        except OSError as error:
            raise troubles.unreachable(self.master, error.strerror or str(error)) from None


def check_java() -> None:
    """Raise "java-missing" when there is no Java, or one that is older than Spark can use."""
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")
    if java is None:
        raise troubles.no_java(
            f"JAVA_HOME is {home}" if home else "no java in PATH, and JAVA_HOME is not set"
        )
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr  # noqa: S603
    version = re.search(r'version "(?:1\.)?(\d+)', told)
    if version is None or int(version.group(1)) < OLDEST_JAVA:
        raise troubles.no_java(f"{java} is version {version.group(1) if version else 'unknown'}")
