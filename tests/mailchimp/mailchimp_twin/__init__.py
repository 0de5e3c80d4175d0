"""A twin of Mailchimp for the tests: the parts of the Marketing API 3.0 that icx uses, over a real socket."""

from mailchimp_twin.serve import TwinServer, serving
from mailchimp_twin.state import Audience, Campaign, Member, State

__all__ = ["Audience", "Campaign", "Member", "State", "TwinServer", "serving"]
