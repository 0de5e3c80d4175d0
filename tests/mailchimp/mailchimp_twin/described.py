"""What Mailchimp's published interface description says of the operations icx uses, as facts to hold requests against.

Read from the OpenAPI document that comes with Mailchimp's own command line program (github.com/mailchimp/
mailchimp-marketing-cli, cli/mailchimp/openapi0.json at eb6a71e): names, types, choices and what is required. Of `/`,
`/ping`, the listing of segments, `/unsubscribed` and `/content` the parameters are those of the vendor's pages and of its
Python package, which is made of the same description. `PAGED`
and `TRIMMED` are the parameters that every collection and every read there has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator

TRIMMED = {"fields", "exclude_fields"}
PAGED = TRIMMED | {"count", "offset"}
SORTED = {"sort_dir": {"ASC", "DESC"}}
SET_STATUS = ["subscribed", "unsubscribed", "cleaned", "pending", "transactional"]
READ_STATUS = {*SET_STATUS, "archived"}

_TEXT, _FLAG = {"type": "string"}, {"type": "boolean"}
_ADDRESS = {
    "type": "object",
    "required": ["addr1", "city", "state", "zip"],
    "properties": dict.fromkeys(("addr1", "addr2", "city", "state", "zip", "country"), _TEXT),
    "additionalProperties": False,
}
_MEMBER = {
    "email_address": _TEXT,
    "email_type": _TEXT,
    "interests": {"type": "object", "additionalProperties": _FLAG},
    "language": _TEXT,
    "merge_fields": {
        "type": "object",
        "additionalProperties": {"anyOf": [_TEXT, {"type": "number"}, _ADDRESS]},
    },
    "status": {"enum": SET_STATUS},
    "vip": _FLAG,
    "timestamp_opt": _TEXT,
    "timestamp_signup": _TEXT,
}
_PUT = _MEMBER | {"status_if_new": {"enum": SET_STATUS}, "tags": {"type": "array", "items": _TEXT}}


def _object(properties: Mapping[str, Any], required: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    # The description does not forbid other names; a name it does not know is most likely a mistake of ours.
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    } | more


#: (method, path) -> its query parameters, with the choices of those that have some, and the body it takes.
OPERATIONS: Mapping[tuple[str, str], tuple[Mapping[str, set[str] | None], dict[str, Any] | None]] = {
    ("GET", "/"): (dict.fromkeys(TRIMMED), None),
    ("GET", "/ping"): ({}, None),
    ("GET", "/lists"): (
        dict.fromkeys(
            PAGED
            | {"before_date_created", "since_date_created", "before_campaign_last_sent"}
            | {"since_campaign_last_sent", "email", "has_ecommerce_store", "include_total_contacts"}
        )
        | SORTED
        | {"sort_field": {"date_created"}},
        None,
    ),
    ("GET", "/lists/{list_id}"): (dict.fromkeys(TRIMMED | {"include_total_contacts"}), None),
    ("POST", "/lists/{list_id}"): (
        dict.fromkeys({"skip_merge_validation", "skip_duplicate_check"}),
        _object(
            {
                "members": {
                    "type": "array",
                    "maxItems": 500,
                    "items": _object(_PUT, anyOf=[{"required": ["status"]}, {"required": ["status_if_new"]}]),
                },
                "sync_tags": _FLAG,
                "update_existing": _FLAG,
            },
            ("members",),
        ),
    ),
    ("GET", "/lists/{list_id}/members"): (
        dict.fromkeys(
            PAGED
            | {"email_type", "since_timestamp_opt", "before_timestamp_opt", "since_last_changed"}
            | {"before_last_changed", "unique_email_id", "vip_only", "interest_category_id", "interest_ids"}
            | {"since_last_campaign", "unsubscribed_since"}
        )
        | SORTED
        | {
            "status": READ_STATUS,
            "sort_field": {"timestamp_opt", "timestamp_signup", "last_changed"},
            "interest_match": {"any", "all", "none"},
        },
        None,
    ),
    ("GET", "/lists/{list_id}/members/{subscriber_hash}"): (dict.fromkeys(TRIMMED), None),
    ("PUT", "/lists/{list_id}/members/{subscriber_hash}"): (
        {"skip_merge_validation": None},
        _object(_PUT, ("email_address",)),
    ),
    ("PATCH", "/lists/{list_id}/members/{subscriber_hash}"): (
        {"skip_merge_validation": None},
        _object(_MEMBER),
    ),
    ("GET", "/lists/{list_id}/members/{subscriber_hash}/tags"): (dict.fromkeys(PAGED), None),
    ("POST", "/lists/{list_id}/members/{subscriber_hash}/tags"): (
        {},
        _object(
            {
                "is_syncing": _FLAG,
                "tags": {
                    "type": "array",
                    "items": _object(
                        {"name": _TEXT, "status": {"enum": ["inactive", "active"]}}, ("name", "status")
                    ),
                },
            },
            ("tags",),
        ),
    ),
    ("GET", "/lists/{list_id}/merge-fields"): (dict.fromkeys(PAGED | {"type", "required"}), None),
    ("GET", "/lists/{list_id}/segments"): (
        dict.fromkeys(
            PAGED
            | {"since_created_at", "before_created_at", "include_cleaned", "include_transactional"}
            | {"include_unsubscribed", "since_updated_at", "before_updated_at"}
        )
        | {"type": {"saved", "static", "fuzzy"}},
        None,
    ),
    ("POST", "/lists/{list_id}/segments/{segment_id}"): (
        {},
        _object(
            {
                key: {"type": "array", "maxItems": 500, "items": _TEXT}
                for key in ("members_to_add", "members_to_remove")
            }
        ),
    ),
    ("GET", "/campaigns"): (
        dict.fromkeys(
            PAGED
            | {"before_send_time", "since_send_time", "before_create_time", "since_create_time", "list_id"}
            | {
                "folder_id",
                "member_id",
                "include_resend_shortcut_eligibility",
                "include_resend_shortcut_usage",
            }
        )
        | SORTED
        | {
            "status": {"save", "paused", "schedule", "sending", "sent"},
            "type": {"regular", "plaintext", "absplit", "rss", "variate"},
            "sort_field": {"create_time", "send_time"},
        },
        None,
    ),
    ("GET", "/campaigns/{campaign_id}/content"): (dict.fromkeys(TRIMMED), None),
    ("GET", "/reports/{campaign_id}"): (dict.fromkeys(TRIMMED), None),
    ("GET", "/reports/{campaign_id}/email-activity"): (dict.fromkeys(PAGED | {"since", "filter_bots"}), None),
    ("GET", "/reports/{campaign_id}/unsubscribed"): (dict.fromkeys(PAGED), None),
}


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: What an answer's rows may hold: the property names of the schema (the twin's own rows are held against these).
MEMBER = _names(
    """
    _links consents_to_one_to_one_messaging contact_id email_address email_client email_type id
    interests ip_opt ip_signup language last_changed last_note list_id location marketing_permissions
    member_rating merge_fields sms_phone_number sms_subscription_last_updated sms_subscription_status
    source stats status tags tags_count timestamp_opt timestamp_signup unique_email_id
    unsubscribe_reason vip web_id
    """
)
LIST = _names(
    """
    _links beamer_address campaign_defaults contact date_created double_optin email_type_option
    has_welcome id list_rating marketing_permissions modules name notify_on_subscribe
    notify_on_unsubscribe permission_reminder stats subscribe_url_long subscribe_url_short
    use_archive_bar visibility web_id
    """
)
FIELD = _names(
    """
    _links default_value display_order help_text list_id merge_field_limit merge_id name options public
    required tag total_items type
    """
)
REPORT = _names(
    """
    _links ab_split abuse_reports bounces campaign_title clicks delivery_status ecommerce emails_sent
    facebook_likes forwards id industry_stats list_id list_is_active list_name list_stats opens
    preview_text rss_last_send send_time share_report subject_line timeseries timewarp type unsubscribed
    """
)
ACTIVITY = _names(
    """
    _links activity campaign_id email_address email_id list_id list_is_active
    """
)
EVENT = _names(
    """
    action ip timestamp type url
    """
)
UNSUBSCRIBE = _names(
    """
    _links campaign_id email_address email_id list_id list_is_active merge_fields reason timestamp vip
    """
)
BATCH = _names(
    """
    _links error_count errors new_members total_created total_updated updated_members
    """
)
BATCH_ERROR = _names(
    """
    email_address error error_code field field_message
    """
)


def operation(method: str, path: str) -> tuple[str, str] | None:
    """Return the operation that a call is, None when there is none."""
    for verb, template in OPERATIONS:
        pattern = re.sub(r"\{[^}]+\}", "[^/]+", template)
        if verb == method and re.fullmatch(pattern, path):
            return verb, template
    return None


def complaints(method: str, path: str, params: Mapping[str, str], body: Any) -> Iterator[str]:
    """Yield what the description has against a request."""
    found = operation(method, path)
    if found is None:
        yield f"{method} {path}: no such operation"
        return
    known, schema = OPERATIONS[found]
    for name, value in params.items():
        choices = known.get(name)
        if name not in known:
            yield f"{method} {path}: no parameter {name}"
        elif choices is not None and value not in choices:
            yield f"{method} {path}: {name}={value} is none of {sorted(choices)}"
        elif name == "count" and not 0 < int(value) <= 1000:
            yield f"{method} {path}: count={value}"
    if schema is None and body is not None:
        yield f"{method} {path}: takes no body"
    if schema is not None:
        for error in Draft202012Validator(schema).iter_errors(body):
            yield f"{method} {path}: {error.json_path}: {error.message[:200]}"
