"""One Spark on this machine for all tests of the folder, started as icx starts it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from icx.scale import Cluster, Spark, started

# Code that is compiled for each statement takes longer than a few rows do; `make test-slow` tries it as it is.
SMALL = {
    "spark.driver.memory": "1g",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.parquet.compression.codec": "uncompressed",
}
QUICK = {"JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spark]:
    folder: Path = tmp_path_factory.mktemp("scale")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in QUICK.items():
            patch.setenv(name, value)
        with started(Cluster("local[2]", folder, SMALL), "tests") as running:
            yield running
