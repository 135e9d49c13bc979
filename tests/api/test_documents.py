"""Documents of API 2 as dictionaries: what JSON:API says, and that no document raises anything but an ``APIError``."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cobot_oidc import APIError
from cobot_oidc.api.documents import Page
from cobot_oidc.api.people import Me


def one(id_: str, **fields: Any) -> dict[str, Any]:
    return {"type": "things", "id": id_, **fields}


def related(**ids: str | list[str] | None) -> dict[str, Any]:
    return {
        name: {"data": [one(each) for each in id_] if isinstance(id_, list) else None if id_ is None else one(id_)}
        for name, id_ in ids.items()
    }


def read(document: Any, *include: str) -> Any:
    return Page.read(document, include).data


# ---------------------------------------------------------------------- what a document says


def test_attributes_and_relationships_are_fields() -> None:
    thing = one("1", attributes={"name": "Chess", "size": {"w": 1}}, relationships=related(owner="2", parts=["3"]))

    assert read({"data": thing}) == one("1", name="Chess", size={"w": 1}, owner=one("2"), parts=[one("3")])


def test_an_empty_answer_has_no_resources() -> None:
    assert read({"data": None}) is None
    assert read({"data": []}) == []
    assert read({"data": one("1")}) == one("1")


@pytest.mark.covers("A16")
@pytest.mark.parametrize("place", ["attributes", "relationships"])
def test_no_field_overrides_who_a_resource_is(place: str) -> None:
    false = {"type": "admins", "id": "2"} if place == "attributes" else related(type="2", id="3")

    assert read({"data": one("1", **{place: false})}) == one("1")
    included = one("2", **{place: false})
    document = {"data": one("1", relationships=related(owner="2")), "included": [included]}
    assert read(document, "owner") == one("1", owner=one("2"))


def test_a_relationship_without_data_is_left_out() -> None:
    links = {"owner": {"links": {"related": "https://evil.example/"}}}

    assert read({"data": one("1", relationships=links)}) == one("1")


def test_a_path_resolves_what_is_on_its_way() -> None:
    document = {
        "data": [one("1", relationships=related(owner="2"))],
        "included": [
            one("2", attributes={"name": "Ada"}, relationships=related(home="3", work="4")),
            one("3", attributes={"name": "Berlin"}, relationships=related(owner="2")),
            one("4", attributes={"name": "co.up"}),
        ],
    }

    ada = one("2", name="Ada", home=one("3", name="Berlin", owner=one("2")), work=one("4"))
    assert read(document, "owner.home") == [one("1", owner=ada)]
    assert read(document, "owner") == [one("1", owner=one("2", name="Ada", home=one("3"), work=one("4")))]
    assert read(document, "owner.work", "owner.home")[0]["owner"]["work"] == one("4", name="co.up")
    assert read(document) == [one("1", owner=one("2"))]
    assert read(document, "home", "nothing", "") == [one("1", owner=one("2"))]


def test_a_relationship_to_many_resolves_each() -> None:
    document = {
        "data": one("1", relationships=related(parts=["2", "3", "4"])),
        "included": [one("2", attributes={"n": 2}), one("4", attributes={"n": 4})],
    }

    assert read(document, "parts")["parts"] == [one("2", n=2), one("3"), one("4", n=4)]


def test_the_same_id_of_another_type_is_another_resource() -> None:
    document = {
        "data": one("1", relationships=related(owner="2")),
        "included": [{"type": "people", "id": "2", "attributes": {"name": "Ada"}}],
    }

    assert read(document, "owner") == one("1", owner=one("2"))


@pytest.mark.covers("A16")
def test_a_resource_that_includes_itself_ends_where_the_question_ends() -> None:
    loop = one("1", attributes={"n": 1}, relationships=related(me="1"))

    assert read({"data": loop, "included": [loop]}, "me") == one("1", n=1, me=one("1", n=1, me=one("1")))
    assert read({"data": loop, "included": [loop]}, "me.me")["me"]["me"] == one("1", n=1, me=one("1"))


def test_resources_that_include_each_other_end_where_the_question_ends() -> None:
    document = {
        "data": one("1", relationships=related(next="2")),
        "included": [one("1", relationships=related(next="2")), one("2", relationships=related(next="1"))],
    }

    thing, depth = read(document, ".".join(["next"] * 20)), 0
    while "next" in thing:
        thing, depth = thing["next"], depth + 1

    assert depth == 21


@pytest.mark.covers("A16")
def test_many_that_include_each_other_are_made_once_for_each_path() -> None:
    """Twenty resources that all refer to each other, two steps deep: 40 dictionaries, and not 400."""
    ids = [str(number) for number in range(20)]
    all_of_them = [one(id_, relationships=related(all=ids)) for id_ in ids]

    thing = read({"data": all_of_them[0], "included": all_of_them}, "all.all")

    made: dict[int, Any] = {}
    rest = [thing]
    while rest:
        each = rest.pop()
        if id(each) not in made and len(each) > 2:
            made[id(each)] = each
            rest += each["all"]
    assert len(made) == 1 + 2 * 20


@pytest.mark.parametrize("links", [None, [], "x", 5, {}, {"next": None}])
def test_links_of_another_shape_name_no_next_page(links: Any) -> None:
    assert Page.read({"data": [], "links": links}).next is None


# ---------------------------------------------------------------------- what is none

NONE: list[Any] = [
    None,
    5,
    "x",
    [],
    {},
    {"errors": [{"detail": "closed"}]},
    {"meta": {}},
    {"data": 5},
    {"data": "x"},
    {"data": True},
    {"data": {}},
    {"data": {"type": "things"}},
    {"data": {"id": "1"}},
    {"data": {"type": "things", "id": 1}},
    {"data": {"type": None, "id": "1"}},
    {"data": {"type": ["things"], "id": "1"}},
    {"data": [None]},
    {"data": [[]]},
    {"data": [one("1"), {}]},
    {"data": [[one("1")]]},
    {"data": one("1", attributes=None)},
    {"data": one("1", attributes=[])},
    {"data": one("1", attributes="x")},
    {"data": one("1", relationships=None)},
    {"data": one("1", relationships=[{"data": None}])},
    {"data": one("1", relationships={"owner": None})},
    {"data": one("1", relationships={"owner": "2"})},
    {"data": one("1", relationships={"owner": {"data": "2"}})},
    {"data": one("1", relationships={"owner": {"data": {"id": "2"}}})},
    {"data": one("1", relationships={"owner": {"data": {"type": "things", "id": {}}}})},
    {"data": one("1", relationships={"owner": {"data": [None]}})},
    {"data": one("1", relationships={"owner": {"data": [[one("2")]]}})},
    {"data": [], "included": None},
    {"data": [], "included": {}},
    {"data": [], "included": "x"},
    {"data": [], "included": [None]},
    {"data": [], "included": [{"type": "things"}]},
]


@pytest.mark.covers("A16")
@pytest.mark.parametrize("document", NONE, ids=repr)
def test_what_is_no_document_is_not_read(document: Any) -> None:
    with pytest.raises(APIError) as raised:
        Page.read(document, ["owner"])

    assert raised.value.code == "answer_unusable"


def test_what_is_included_has_the_same_form() -> None:
    for spoilt in (one("2", attributes=None), one("2", relationships=5)):
        document = {"data": one("1", relationships=related(owner="2")), "included": [spoilt]}

        with pytest.raises(APIError, match="answer_unusable"):
            Page.read(document, ["owner"])


@pytest.mark.covers("A16")
def test_what_is_included_is_no_larger_than_anybody_asks_for() -> None:
    """60 kB of an answer, asked for with include=["a.a.a"], become 40 MB of JSON; 1.7 MB became 6 GB."""
    references = [{"type": "t", "id": str(number)} for number in range(100)]
    included = [{**one, "relationships": {"a": {"data": references}}} for one in references[:16]]

    with pytest.raises(APIError, match="more than 20000 resources"):
        Page.read({"data": included[0], "included": included}, ["a.a.a"])


# ---------------------------------------------------------------------- whatever comes

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(["things", "people", "1", "2", "owner", "parts", "type", "id"])


def either(good: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Mostly what should be there, and sometimes anything."""
    return st.one_of(good, good, good, JSON)


IDENTIFIERS = st.fixed_dictionaries({}, optional={"type": either(NAMES), "id": either(NAMES)})
LINKS = st.none() | IDENTIFIERS | st.lists(IDENTIFIERS, max_size=3)
LINKED = st.fixed_dictionaries({}, optional={"data": either(LINKS)})
RESOURCES = st.fixed_dictionaries(
    {"type": either(NAMES), "id": either(NAMES)},
    optional={
        "attributes": either(st.dictionaries(NAMES, JSON, max_size=3)),
        "relationships": either(st.dictionaries(NAMES, either(LINKED), max_size=3)),
    },
)
DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "data": either(st.none() | RESOURCES | st.lists(either(RESOURCES), max_size=3)),
        "included": either(st.lists(either(RESOURCES), max_size=4)),
        "links": either(st.fixed_dictionaries({}, optional={"next": JSON})),
    },
)
PATHS = st.lists(st.lists(NAMES | st.text(max_size=2), max_size=4).map(".".join), max_size=3)


@given(either(DOCUMENTS), PATHS)
@pytest.mark.covers("A16")
def test_every_document_is_read_or_refused(document: Any, include: list[str]) -> None:
    try:
        page = Page.read(document, include)
    except APIError as error:
        assert error.code == "answer_unusable"  # noqa: PT017 # either is right
        return
    given_ = document["data"] if isinstance(document["data"], list) else [document["data"]]
    made = page.data if isinstance(page.data, list) else [page.data]
    for said, thing in zip(given_, made, strict=True):
        assert (said is None) == (thing is None)
        assert said is None or thing is None or (thing["type"], thing["id"]) == (said["type"], said["id"])


PLACES = st.fixed_dictionaries(
    {},
    optional={"id": either(NAMES), "space_subdomain": either(NAMES), "space_name": JSON, "name": JSON},
)
PEOPLE = st.fixed_dictionaries(
    {"id": either(NAMES)},
    optional={
        "email": JSON,
        "memberships": either(st.lists(either(PLACES), max_size=3)),
        "admin_of": either(st.lists(either(PLACES), max_size=3)),
    },
)


@given(either(PEOPLE))
@pytest.mark.covers("A17")
def test_every_person_is_read_or_refused(document: Any) -> None:
    try:
        me = Me.read(document)
    except APIError as error:
        assert error.code == "answer_unusable"  # noqa: PT017 # either is right
        return
    assert me.id == document["id"]
    assert isinstance(me.email, str | None)
    for membership in me.memberships:
        assert membership.id
        assert membership.space
        assert isinstance(membership.space_name, str | None)
    assert all(administration.space for administration in me.admin_of)
    assert len(me.memberships) == len(document.get("memberships") or ())
    assert len(me.admin_of) == len(document.get("admin_of") or ())
