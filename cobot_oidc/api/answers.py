"""What the API answered, as values or as an error: one form for both generations (docs/cobot.md 4)."""

from collections.abc import Mapping
from typing import Any

from ..errors import APICode, APIError
from ..protocol.strict_json import JSONError, loads
from ..provider.http import HTTPResponse
from .connection import LARGEST_JSON, LONGEST_REQUEST_ID

JSON_API = "application/vnd.api+json"
LONGEST_TEXT = 1000  # characters of one message from outside

CODES: dict[int, APICode] = {
    401: "token_refused",
    403: "request_forbidden",
    404: "resource_not_found",
    410: "resource_not_found",
    422: "request_invalid",
}


def content(answer: HTTPResponse, *, largest: int = LARGEST_JSON) -> Any:
    """The JSON of an answer; ``None`` if it has no body.

    :param largest: bytes that are read.
    :raises APIError: for an answer that is not a success, or not what it should be.
    """
    refuse(answer)
    if not answer.body:
        return None
    if not is_json(answer):
        raise APIError("answer_unusable", api_status=answer.status, expected="JSON", got=answer.content_type)
    try:
        return loads(answer.body, largest=largest)
    except JSONError as error:
        reason = error.reason
    raise APIError("answer_unusable", api_status=answer.status, reason=reason)


def refuse(answer: HTTPResponse) -> None:
    """Raise the error that an answer stands for.

    :raises APIError: unless the answer is a success (2xx).
    """
    if not 200 <= answer.status < 300:
        raise failure(answer)


def failure(answer: HTTPResponse, code: APICode | None = None) -> APIError:
    """The error that an answer stands for.

    :param code: if the caller knows better than the status.
    """
    if answer.status < 400:  # we follow no redirect: the token stays where it belongs
        return APIError("answer_unusable", api_status=answer.status, reason="a redirect")
    document = _document(answer)
    fields = _fields(document)
    return APIError(
        code or CODES.get(answer.status, "request_refused"),
        api_status=answer.status,
        # API 1 says nothing about the whole if it says something about the parts.
        message=_message(document) or "; ".join(f"{name}: {said}" for name, said in fields.items())[:LONGEST_TEXT],
        fields=fields,
        request_id=answer.request_id[:LONGEST_REQUEST_ID],
    )


def is_json(answer: HTTPResponse) -> bool:
    """Whether the answer says that it is JSON."""
    kind = answer.content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def _document(answer: HTTPResponse) -> Mapping[str, Any]:
    try:
        document = loads(answer.body, largest=LARGEST_JSON) if is_json(answer) else {}
    except JSONError:
        document = {}
    return document if isinstance(document, dict) else {}


def _message(document: Mapping[str, Any]) -> str:
    """API 1: ``{"error": "…"}``. API 2: ``{"errors": [{"title": "…", "detail": "…"}]}``."""
    if isinstance(text := document.get("error") or document.get("message"), str):
        return text[:LONGEST_TEXT]
    for error in _errors(document):
        if isinstance(text := error.get("detail") or error.get("title"), str):
            return text[:LONGEST_TEXT]
    return ""


def _fields(document: Mapping[str, Any]) -> dict[str, str]:
    """API 1: ``{"errors": {"from": "…"}}``. API 2: ``{"errors": [{"source": {"pointer": "…/from"}, "detail": …}]}``."""
    errors = document.get("errors")
    if isinstance(errors, dict):
        return {str(name): _text(said) for name, said in errors.items()}
    fields: dict[str, str] = {}
    for error in _errors(document):
        source, detail = error.get("source"), error.get("detail")
        pointer = source.get("pointer") if isinstance(source, dict) else None
        if isinstance(pointer, str) and isinstance(detail, str):
            name = pointer.rpartition("/")[2]
            fields[name] = f"{fields[name]}, {detail}"[:LONGEST_TEXT] if name in fields else detail[:LONGEST_TEXT]
    return fields


def _text(said: object) -> str:
    return (", ".join(map(str, said)) if isinstance(said, list) else str(said))[:LONGEST_TEXT]


def _errors(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    errors = document.get("errors")
    return [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
