"""Names that are taken: what is there stays as it is."""

import json

import pytest

from icx.errors import BadInput
from icx.workspace import Workspace


def test_a_simulated_account_never_takes_the_place_of_a_real_one(tmp_path):
    saved = tmp_path / "data" / "connections" / "acme.json"
    saved.parent.mkdir(parents=True)
    real = {
        "name": "acme",
        "kind": "icontact",
        "company": "Acme Outdoor",
        "account_id": 41733,
        "client_folder_id": 8021,
    }
    saved.write_text(json.dumps(real))
    with pytest.raises(BadInput, match="real account"):
        Workspace.with_sandbox(tmp_path, contacts=10, messages=1)
    assert json.loads(saved.read_text()) == real
