"""Queues and pools pickle and copy errors: an ``APIError`` arrives with all that it tells."""

import copy
import pickle
from typing import Any

import pytest

from cobot_oidc import APIError

from .conftest import MakeAPI, refusal


def told(error: APIError) -> dict[str, Any]:
    return {
        "type": type(error),
        "code": error.code,
        "status": error.status,
        "api_status": error.api_status,
        "message": error.message,
        "fields": error.fields,
        "request_id": error.request_id,
        "details": error.details,
        "text": str(error),
        "wait": error.retry_after_seconds,
    }


ERROR = APIError(
    "request_invalid",
    api_status=422,
    message="Not so.",
    fields={"from": "is not a time"},
    request_id="of-this-request",
    retry_after_seconds=7,
)


@pytest.mark.parametrize(
    "keep",
    [
        APIError.copy,
        lambda error: pickle.loads(pickle.dumps(error)),  # noqa: S301 # our own; so do RQ and Celery
        copy.copy,
        copy.deepcopy,
    ],
    ids=["copy()", "pickle", "copy.copy", "copy.deepcopy"],
)
def test_a_copy_of_an_error_tells_the_same(keep: Any) -> None:
    kept = keep(ERROR)

    assert kept is not ERROR
    assert told(kept) == told(ERROR)
    assert kept.fields is not ERROR.fields or keep is copy.copy


def test_an_error_that_goes_to_another_process_tells_the_same(make_api: MakeAPI) -> None:
    error = refusal(lambda: make_api(space="co-up").post("/api/bookings", {}))

    assert error.fields
    assert told(pickle.loads(pickle.dumps(error))) == told(error)  # noqa: S301 # our own
