"""A Python client for Mailchimp's Marketing API 3.0, usable alone.

from icx.mailchimp import Client, Key
client = Client(Key("0123456789abcdef0123456789abcdef-us19"))
for audience in client.lists():
    for member in client.members(audience["id"]):
        print(member["status"], member["last_changed"])
"""

from icx.mailchimp.answers import member_hash
from icx.mailchimp.client import Client
from icx.mailchimp.login import Key, MailchimpLogin, Token

__all__ = ["Client", "Key", "MailchimpLogin", "Token", "member_hash"]
