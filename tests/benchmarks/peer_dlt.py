"""What dlt does with the same pages, tuned: its REST client, Parquet files, two workers. Run by a Python that has dlt.

python peer_dlt.py ADDRESS MESSAGES FOLDER        prints the seconds and the rows in its table
"""

import os
import sys
import time

os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "NORMALIZE__WORKERS": "2", "LOAD__WORKERS": "2",
               "DATA_WRITER__BUFFER_MAX_ITEMS": "50000",
               "NORMALIZE__DATA_WRITER__DISABLE_COMPRESSION": "true"}  # fmt: skip

import dlt
from dlt.sources.helpers.rest_client import RESTClient
from dlt.sources.helpers.rest_client.paginators import OffsetPaginator

address, messages, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]


@dlt.resource(name="opens", write_disposition="replace", parallelized=True)
def opens():
    for message in range(88_000, 88_000 + messages):
        client = RESTClient(
            base_url=f"{address}/a/1/c/2/",
            paginator=OffsetPaginator(limit=1000, total_path="total"),
            data_selector="opens",
        )
        for page in client.paginate(f"messages/{message}/opens"):
            yield [{**row, "messageId": message} for row in page]


if __name__ == "__main__":
    began = time.perf_counter()
    pipeline = dlt.pipeline(
        "peer",
        pipelines_dir=f"{folder}/dlt",
        destination=dlt.destinations.duckdb(f"{folder}/dlt.duckdb"),
        dataset_name="acme",
    )
    pipeline.run(opens(), loader_file_format="parquet")
    with pipeline.sql_client() as client:
        rows = client.execute_sql("select count(*) from opens")[0][0]
    print(time.perf_counter() - began, rows)
