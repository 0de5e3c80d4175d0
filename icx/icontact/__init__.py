"""A Python client for iContact's API 2.2, usable alone.

from icx.icontact import Client
client = Client("https://app.icontact.com/icp", app_id, "ada@example.com", password)
account = client.accounts()[0]["accountId"]
folder = client.folders(account)[0]["clientFolderId"]
for contact in client.within(account, folder).rows("contacts"):
    print(contact["contactId"], contact["createDate"])
"""

from icx.errors import UnknownOutcome
from icx.http.pace import Waiting
from icx.icontact.client import PRODUCTION, Client
from icx.icontact.codec import SetAside
from icx.icontact.paging import Page
from icx.icontact.resources import RESOURCES, Resource, subscription_id
from icx.icontact.written import Missing, Written

__all__ = [
    "PRODUCTION",
    "RESOURCES",
    "Client",
    "Missing",
    "Page",
    "Resource",
    "SetAside",
    "UnknownOutcome",
    "Waiting",
    "Written",
    "subscription_id",
]
