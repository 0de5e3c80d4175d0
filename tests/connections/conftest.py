"""A misbehaving server for every test of this folder."""

from collections.abc import Iterator

import pytest
from misbehaving import Misbehaving


@pytest.fixture
def server() -> Iterator[Misbehaving]:
    server = Misbehaving()
    yield server
    server.stop()
