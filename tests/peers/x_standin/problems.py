"""How X says no. Each shape is one that its callers have met."""

from __future__ import annotations

from typing import Any

PROBLEMS = "https://api.twitter.com/2/problems"


class Problem(Exception):
    """An answer that is a refusal, perhaps with headers of its own."""

    def __init__(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        super().__init__(f"{status} {body.get('title', '')}")
        self.status, self.body, self.headers = status, body, headers or {}


def invalid(parameter: str, value: str, why: str) -> Problem:
    """400: a parameter, or a field of the body, is not as it must be."""
    error = {"parameters": {parameter: [value]}, "message": why}
    return Problem(
        400,
        {
            "errors": [error],
            "title": "Invalid Request",
            "detail": "One or more parameters to your request was invalid.",
            "type": f"{PROBLEMS}/invalid-request",
        },
    )


def plain(status: int, title: str, detail: str = "") -> Problem:
    """The short shape: of an expired token, a missing scope, a text that was posted already."""
    body = {"title": title, "type": "about:blank", "status": status, "detail": detail or title}
    return Problem(status, body)


def unauthorized() -> Problem:
    """401: the token is expired, revoked or none. It comes before anything was counted, so it tells of no limit."""
    return plain(401, "Unauthorized")


def out_of_credit() -> Problem:
    """402: what was paid for is used up."""
    detail = "Your enrolled account does not have any credits to fulfill this request."
    body = {"title": "CreditsDepleted", "type": f"{PROBLEMS}/credits", "detail": detail}
    return Problem(402, {"account_id": 1, **body})


def usage_capped() -> Problem:
    """429 without an end: the month's cap, not the quarter of an hour's."""
    body = {"title": "UsageCapExceeded", "detail": "Usage cap exceeded: Monthly product cap", "period": "Monthly"}
    return Problem(429, {**body, "scope": "Product", "type": f"{PROBLEMS}/usage-capped"})


def too_many(headers: dict[str, str]) -> Problem:
    """429: the limit of this call; x-rate-limit-reset says until when."""
    return Problem(429, plain(429, "Too Many Requests").body, headers)


def not_offered(how: str) -> Problem:
    """403: the plan does not have this call. In one of two shapes: `client` has no `errors`, `code` has little else."""
    if how == "code":
        message = "You currently have access to a subset of X API V2 endpoints and limited v1.1 endpoints"
        return Problem(403, {"errors": [{"message": message, "code": 453}]})
    return Problem(
        403,
        {
            "client_id": "1",
            "detail": "This endpoint is not part of your access.",
            "registration_url": "https://developer.x.com/en/docs/projects/overview",
            "title": "Client Forbidden",
            "required_enrollment": "Appropriate Level of API Access",
            "reason": "client-not-enrolled",
            "type": f"{PROBLEMS}/client-forbidden",
        },
    )


def wrong_kind_of_token() -> Problem:
    """403: an app's own token where an account's is wanted."""
    detail = "Authenticating with OAuth 2.0 Application-Only is forbidden for this endpoint."
    return Problem(
        403,
        {"title": "Unsupported Authentication", "detail": detail, "type": f"{PROBLEMS}/unsupported-authentication"},
    )


# ---- of one thing among several: an entry of `errors` beside the data, or without


def missing(resource: str, parameter: str, value: str) -> dict[str, Any]:
    """It was never there, or is not there any more."""
    detail = f"Could not find {resource} with {parameter}: [{value}]."
    return _of(resource, parameter, value, "Not Found Error", detail, "resource-not-found")


def suspended(parameter: str, value: str) -> dict[str, Any]:
    detail = f"User has been suspended: [{value}]."
    return _of("user", parameter, value, "Forbidden", detail, "resource-not-found")


def not_authorised(resource: str, parameter: str, value: str) -> dict[str, Any]:
    """It is there, and protected."""
    detail = f"Sorry, you are not authorized to see the {resource} with {parameter}: [{value}]."
    return _of(resource, parameter, value, "Authorization Error", detail, "not-authorized-for-resource")


def field_refused(field: str, value: str) -> dict[str, Any]:
    detail = f"Sorry, you are not authorized to access '{field}' on the User with ids : [{value}]."
    entry = _of("user", field, value, "Field Authorization Error", detail, "not-authorized-for-field")
    return {**entry, "field": field, "section": "data"}


def _of(resource: str, parameter: str, value: str, title: str, detail: str, problem: str) -> dict[str, Any]:
    return {
        "value": value,
        "detail": detail,
        "title": title,
        "resource_type": resource,
        "parameter": parameter,
        "resource_id": value,
        "type": f"{PROBLEMS}/{problem}",
    }
