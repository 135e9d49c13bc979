"""JSON:API, as the API's second generation speaks it: documents, pages, what is included, and errors."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import Response, abort, request
from werkzeug.exceptions import BadRequest, HTTPException

from .values import Invalid

MEDIA_TYPE = "application/vnd.api+json"
DEFAULT_SIZE, LARGEST_SIZE = 72, 200

Document = dict[str, Any]  # a resource object: type, id, attributes, relationships
Thing = TypeVar("Thing")


class BadParameter(BadRequest):
    """A parameter of the query that is not understood (JSON:API section 6, "Query Parameters")."""

    def __init__(self, parameter: str, detail: str) -> None:
        super().__init__(detail)
        self.parameter = parameter


def answer(document: Mapping[str, Any], status: int = 200) -> Response:
    """An answer with a document."""
    return Response(json.dumps(document), status, mimetype=MEDIA_TYPE)


def failed(error: HTTPException) -> Response:
    """An error as a document. Cobot has no codes for errors, so there is no ``code``."""
    told: Document = {"status": str(error.code), "title": error.name, "detail": error.description or error.name}
    if isinstance(error, BadParameter):
        told["source"] = {"parameter": error.parameter}
    response = answer({"errors": [told]}, error.code or 500)
    response.headers.update((name, value) for name, value in error.get_headers() if name != "Content-Type")
    return response


def invalid(error: Invalid) -> Response:
    """Which fields are not valid."""
    return answer(
        {
            "errors": [
                {"status": "422", "source": {"pointer": _pointer(field)}, "detail": detail}
                for field, detail in error.fields.items()
            ]
        },
        422,
    )


def one(type_: str, id_: str | None) -> Document:
    """A relationship to one thing, or to none."""
    return {"data": None if id_ is None else {"type": type_, "id": id_}}


def many(type_: str, ids: Sequence[str]) -> Document:
    """A relationship to many things."""
    return {"data": [{"type": type_, "id": id_} for id_ in ids]}


def sent(type_: str, id_: str | None = None) -> tuple[dict[str, Any], dict[str, str | None]]:
    """The attributes and the relationships, as ids, of the document that came.

    :param id_: the id that it has to have.
    """
    if request.mimetype != MEDIA_TYPE:
        abort(415, f"Send a body of the type {MEDIA_TYPE}.")
    try:
        data = json.loads(request.get_data())["data"]
        if (data["type"], data.get("id")) != (type_, id_):
            abort(409, f"Send a document of the type {type_}{f' with the id {id_}' if id_ else ''}.")
        linked = {name: link["data"] for name, link in data.get("relationships", {}).items()}
        ids = {name: str(target["id"]) if target else None for name, target in linked.items()}
        return dict(data.get("attributes", {})), ids
    except (ValueError, KeyError, TypeError, AttributeError):
        return abort(400, "The body is not a JSON:API document.")


@dataclass(frozen=True, slots=True)
class Shape:
    """What the query says about the form of an answer: what is included, and which fields.

    :ivar find: makes the document for a type and an id.
    :ivar allow: refuses to include a type.
    """

    find: Callable[[str, str], Document | None]
    allow: Callable[[str], None]

    def single(self, document: Document) -> Document:
        """The document of one thing."""
        return self._whole(document, [document])

    def page(self, things: Sequence[Thing], document: Callable[[Thing], Document], api: str) -> Document:
        """The page of things that is asked for, with links to others.

        :param api: the origin for the links.
        """
        number, size = _number("page[number]", 1), _number("page[size]", DEFAULT_SIZE)
        if size > LARGEST_SIZE:
            raise BadParameter("page[size]", f"is larger than {LARGEST_SIZE}")
        last = max(1, -(-len(things) // size))
        documents = [document(thing) for thing in things[(number - 1) * size : number * size]]
        numbers = {
            "self": number,
            "first": 1,
            "prev": number - 1 if 1 < number <= last else None,
            "next": number + 1 if number < last else None,
            "last": last,
        }
        links = {name: _link(api, target, size) if target else None for name, target in numbers.items()}
        whole = self._whole(documents, documents)
        return {**whole, "links": links, "meta": {"totalPages": last, "currentPage": number}}

    def _whole(self, data: Any, documents: list[Document]) -> Document:
        names = [name for name in request.args.get("include", "").split(",") if name]
        included = self._included(documents, names)
        whole: Document = {"data": [_sparse(each) for each in data] if isinstance(data, list) else _sparse(data)}
        if "include" in request.args:
            whole["included"] = [_sparse(each) for each in included]
        return whole

    def _included(self, documents: list[Document], names: list[str]) -> list[Document]:
        """Each related thing once. None is in ``data`` already, because nothing is related to its own type."""
        wanted: dict[tuple[str, str], None] = {}
        for name in names:
            for document in documents:
                if name not in document["relationships"]:
                    raise BadParameter("include", f"{document['type']} have no relationship {name}")
                linked = document["relationships"][name]["data"] or []
                for target in linked if isinstance(linked, list) else [linked]:
                    wanted[target["type"], target["id"]] = None
        for type_ in {type_ for type_, _ in wanted}:
            self.allow(type_)
        found = [self.find(*key) for key in wanted]
        return [document for document in found if document is not None]


def _sparse(document: Document) -> Document:
    """The document with those fields only that are asked for; attributes and relationships are both fields."""
    names = request.args.get(f"fields[{document['type']}]")
    if names is None:
        return document
    kept = names.split(",")
    return document | {
        part: {name: value for name, value in document[part].items() if name in kept}
        for part in ("attributes", "relationships")
    }


def _number(parameter: str, default: int) -> int:
    text = request.args.get(parameter, str(default))
    if not (text.isascii() and text.isdigit() and int(text[:9]) > 0):
        raise BadParameter(parameter, "is not a positive number")
    return int(text[:9])


def _link(api: str, number: int, size: int) -> str:
    query = request.args.to_dict() | {"page[number]": str(number), "page[size]": str(size)}
    return f"{api}{request.path}?{urlencode(query)}"


def _pointer(field: str) -> str:
    relationship = field.removesuffix("_id")
    return f"/data/relationships/{relationship}" if relationship != field else f"/data/attributes/{field}"
