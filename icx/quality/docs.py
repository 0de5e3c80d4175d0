"""Great Expectations' own page of a verdict, for who knows its Data Docs: masked, without any network."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from icx.quality import native
from icx.quality.page import style
from icx.quality.report import CheckReport
from icx.store import shared

_STYLE = """
body { font: 13px/1.45 system-ui, sans-serif; max-width: 1100px; margin: 24px auto; color-scheme: light dark; }
table { border-collapse: collapse; } td, th { padding: 4px 8px; text-align: left; vertical-align: top; }
.row { display: block; } .badge { padding: 0 4px; }
"""


def data_docs(report: CheckReport) -> str:
    """Return GX's validation page for a report as HTML that loads nothing from anywhere.

    It is made of the masked results. Severity, which GX's page leaves out, stands in front of it.
    """
    native.load()
    from great_expectations.core import RunIdentifier
    from great_expectations.core.expectation_validation_result import (
        ExpectationSuiteValidationResult,
        ExpectationSuiteValidationResultSchema,
    )
    from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
    from great_expectations.render.view import DefaultJinjaPageView

    given = {
        "success": all(one.success for one in report.results),
        "suite_name": report.suite,
        "results": [_complete(one.native) for one in report.results],
        "statistics": {
            "evaluated_expectations": len(report.results),
            "successful_expectations": sum(one.success for one in report.results),
            "unsuccessful_expectations": sum(not one.success for one in report.results),
            "success_percent": 100 * sum(one.success for one in report.results) / max(1, len(report.results)),
        },
        "meta": {"validation_time": report.ran_at.isoformat()},
        "suite_parameters": {},
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loaded = ExpectationSuiteValidationResultSchema().load(json.loads(json.dumps(given, default=str)))
        result = (
            loaded
            if isinstance(loaded, ExpectationSuiteValidationResult)
            else ExpectationSuiteValidationResult(**loaded)
        )
        result.meta |= {"run_id": RunIdentifier(run_name=report.run), "batch_markers": {}}
        page = str(DefaultJinjaPageView().render(ValidationResultsPageRenderer().render(result)))
    return _alone(page, report)


def write_data_docs(report: CheckReport, path: Path) -> Path:
    """Write GX's page of a report beside icx's own."""
    return shared.write(path, data_docs(report))


def _complete(found: Mapping[str, Any]) -> dict[str, Any]:
    """GX's renderer trips over a failed set of distinct values that has no percentage: give it one."""
    result = dict(found.get("result") or {})
    if "unexpected_count" in result and result.get("unexpected_percent") is None:
        result |= {"unexpected_percent": 0.0, "element_count": result.get("element_count") or 0}
    return {**found, "result": result, "meta": found.get("meta") or {}}


def _alone(page: str, report: CheckReport) -> str:
    page = re.sub(r"<script\b.*?</script>", "", page, flags=re.DOTALL | re.IGNORECASE)
    page = re.sub(r"<(link|img)\b[^>]*>", "", page, flags=re.IGNORECASE)
    page = re.sub(r"<a\b[^>]*https?:[^>]*>.*?</a>", "", page, flags=re.DOTALL | re.IGNORECASE)
    page = re.sub(r"""url\(\s*['"]?https?:[^)]*\)""", "none", page, flags=re.IGNORECASE)
    head = f"<style>{style()}{_STYLE}</style>"
    said = report._repr_html_().split("</style>", 1)[1]
    page = page.replace("</head>", f"{head}</head>", 1)
    return re.sub(r"(<body\b[^>]*>)", lambda found: found.group(1) + said, page, count=1)
