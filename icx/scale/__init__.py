"""Scale-out: the store's tables as Parquet, the same SQL on a Spark cluster, and what it answered brought back."""

from icx.scale.cluster import Cluster
from icx.scale.dialect import Spoken, columns_of, spoken, tables_of
from icx.scale.export import export, relation
from icx.scale.spark import Spark, started
from icx.scale.turn import run

__all__ = [
    "Cluster",
    "Spark",
    "Spoken",
    "columns_of",
    "export",
    "relation",
    "run",
    "spoken",
    "started",
    "tables_of",
]
