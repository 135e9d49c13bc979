"""The first generation of the API: plain JSON at the provider and at each space (docs/cobot.md 4)."""

import io
from pathlib import Path
from typing import Any

import pytest
from werkzeug.datastructures import FileStorage

from cobot_oidc import CobotAPI
from cobot_oidc.api.uploads import Upload
from cobot_oidc.standin import StandIn
from cobot_oidc.standin.api_one import PDF

from ..conftest import MakePortal
from ..provider.hostile import answer, hostile_server, says
from .conftest import MakeAPI, refusal

START, END = "2027-03-01T10:00:00+00:00", "2027-03-01T12:00:00+00:00"
BOOKING = {"resource_id": "resource-co-up-1", "from": START, "to": END, "title": "Chess"}


def test_a_list_comes_as_it_is(make_api: MakeAPI) -> None:
    resources = make_api(space="co-up").get("/api/resources")

    assert [resource["name"] for resource in resources] == ["Meeting Room", "Workshop", "Phone Booth", "Day Desk"]


def test_an_object_comes_as_it_is(make_api: MakeAPI) -> None:
    space = make_api(space="betahaus").get("/api/space")

    assert (space["id"], space["name"]) == ("betahaus", "Betahaus")


def test_without_a_space_the_provider_itself_is_asked(make_api: MakeAPI, cobot: StandIn) -> None:
    assert make_api().get("/api/spaces/co-up")["name"] == "co.up Coworking"
    assert cobot.requests[-1].host == f"www.cobot.localhost:{cobot.port}"


def test_with_a_space_that_space_is_asked(make_api: MakeAPI, cobot: StandIn) -> None:
    make_api(space="co-up").get("/api/plans")

    assert cobot.requests[-1] == ("GET", f"co-up.cobot.localhost:{cobot.port}", "/api/plans")


def test_parameters_stand_in_the_query(make_api: MakeAPI) -> None:
    api = make_api(space="co-up")
    every = api.get("/api/bookings")

    some = api.get("/api/bookings", params={"from": every[0]["from"], "to": every[0]["to"]})

    assert len(every) == 15
    assert every[0]["id"] in [booking["id"] for booking in some]
    assert len(some) < len(every)


def test_what_is_created_comes_back(make_api: MakeAPI) -> None:
    api = make_api(space="co-up")

    booking = api.post("/api/bookings", json=BOOKING)

    assert booking["title"] == "Chess"
    assert booking["membership"]["name"] == "Grace Hopper"
    assert booking["id"] in [other["id"] for other in api.get("/api/bookings")]


def test_a_body_may_be_a_form(make_api: MakeAPI) -> None:
    assert make_api(space="co-up").post("/api/bookings", form=BOOKING)["title"] == "Chess"


def test_an_answer_without_a_body_is_none(make_api: MakeAPI) -> None:
    api = make_api(space="co-up")
    booking = api.post("/api/bookings", json=BOOKING)

    assert api.delete(f"/api/bookings/{booking['id']}") is None
    assert booking["id"] not in [other["id"] for other in api.get("/api/bookings")]


def test_a_success_of_another_status_without_a_body_is_none(make_api: MakeAPI, cobot: StandIn) -> None:
    cobot.reply("api", status=201, body=b"", path="/api/bookings")

    assert make_api(space="co-up").post("/api/bookings", json=BOOKING) is None


def test_null_is_none(make_api: MakeAPI, cobot: StandIn) -> None:
    cobot.reply("api", body=b"null", path="/api/space")

    assert make_api(space="co-up").get("/api/space") is None


@pytest.mark.usefixtures("in_portal")
def test_what_is_public_needs_no_token() -> None:
    plans = CobotAPI(space="co-up").get("/api/plans")

    assert [plan["name"] for plan in plans] == ["Flex Desk", "Fixed Desk", "Team Office"]


def test_without_a_token_there_is_no_authorization(make_portal: MakePortal) -> None:
    with hostile_server(says(answer(b'{"data": []}'))) as server:
        portal = make_portal(COBOT_OIDC_API_URL=server.url().rstrip("/"))
        with portal.app_context():
            CobotAPI().get("/plans")
            CobotAPI("a-token-of-somebody").get("/plans")

    public, private = server.requests
    assert b"authorization:" not in public.lower()
    assert b"\r\nAuthorization: Bearer a-token-of-somebody\r\n" in private


@pytest.mark.usefixtures("in_portal")
def test_what_is_not_public_needs_one(cobot: StandIn) -> None:
    error = refusal(lambda: CobotAPI(space="co-up").get("/api/bookings"))

    assert (error.code, error.api_status) == ("token_refused", 401)
    assert cobot.asked("/api/bookings") == 1


@pytest.mark.parametrize("content", [b"a picture", io.BytesIO(b"a picture")], ids=["bytes", "file"])
def test_a_picture_is_uploaded(make_api: MakeAPI, cobot: StandIn, content: bytes | io.BytesIO) -> None:
    picture: Upload = ("grace.png", content, "image/png")

    answered = make_api(space="co-up").put("/api/memberships/m-grace-1/picture", files={"file": picture})

    assert answered is None
    assert cobot.world.pictures["m-grace-1"] == b"a picture"


@pytest.mark.parametrize("kind", ["what request.files holds", "an open file", "bytes in a tuple"])
def test_a_file_is_taken_as_an_app_has_it(make_api: MakeAPI, cobot: StandIn, tmp_path: Path, kind: str) -> None:
    (tmp_path / "grace.png").write_bytes(b"a picture")
    with (tmp_path / "grace.png").open("rb") as opened:
        forms: dict[str, Upload] = {
            "what request.files holds": FileStorage(io.BytesIO(b"a picture"), "grace.png", content_type="image/png"),
            "an open file": opened,
            "bytes in a tuple": ("grace.png", b"a picture", "image/png"),
        }
        make_api(space="co-up").put("/api/memberships/m-grace-1/picture", files={"file": forms[kind]})

    assert cobot.world.pictures["m-grace-1"] == b"a picture"


@pytest.mark.parametrize("file", [b"a picture", "a picture", ("a.png", b"x"), None, io.StringIO("text")])
def test_what_is_no_file_is_a_mistake(make_api: MakeAPI, cobot: StandIn, file: Any) -> None:
    with pytest.raises(TypeError, match="a file to upload"):
        make_api(space="co-up").put("/api/memberships/m-grace-1/picture", files={"file": file})
    assert cobot.requests == []


def test_a_file_that_is_sent_again_is_sent_wholly(make_api: MakeAPI, cobot: StandIn, waits: list[float]) -> None:
    cobot.reply("api", status=429, headers={"Retry-After": "2"}, path="/api/memberships", times=1)
    picture: Upload = ("grace.png", io.BytesIO(b"a picture"), "image/png")

    make_api(space="co-up").put("/api/memberships/m-grace-1/picture", files={"file": picture})

    assert cobot.asked("/api/memberships/m-grace-1/picture") == 2
    assert cobot.world.pictures["m-grace-1"] == b"a picture"
    assert [int(wait) for wait in waits] == [2]  # and a little more, at random


def test_an_upload_may_have_fields_beside_it(make_portal: MakePortal) -> None:
    with hostile_server(says(answer())) as server:
        portal = make_portal(COBOT_OIDC_API_URL=server.url().rstrip("/"), COBOT_OIDC_ISSUER=server.url().rstrip("/"))
        with portal.app_context():
            CobotAPI().put("/api/x", files={"file": ("a.txt", b"of the file", "text/plain")}, form={"note": "beside"})

    [request] = server.requests
    assert b"\r\nContent-Type: multipart/form-data; boundary=" in request
    assert b'name="file"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\nof the file\r\n' in request
    assert b'name="note"\r\n\r\nbeside\r\n' in request


def test_a_file_is_downloaded(make_api: MakeAPI, cobot: StandIn) -> None:
    api = make_api(space="co-up")
    [invoice, *_] = api.get("/api/invoices")

    download = api.download(f"/api/invoices/{invoice['id']}.pdf")

    assert (download.media_type, download.content) == ("application/pdf", PDF)
    assert cobot.requests[-1].path.endswith(".pdf")


def test_a_download_that_is_refused_is_an_error_and_no_file(make_api: MakeAPI) -> None:
    assert refusal(lambda: make_api(space="co-up").download("/api/invoices/none.pdf")).code == "resource_not_found"


def test_the_token_says_who_its_owner_is(make_api: MakeAPI) -> None:
    me = make_api().me()

    assert (me.id, me.email) == ("0a1b2c3d4e5f60718293a4b5c6d7e8f9", "grace@example.org")
    assert [(each.id, each.space) for each in me.memberships] == [("m-grace-1", "co-up"), ("m-grace-2", "betahaus")]
    assert (me.admin_of, me.administrates("co-up"), me.administrates(None)) == ((), False, False)
    membership = me.membership_in("betahaus")
    assert membership is not None
    assert (membership.id, membership.space_name) == ("m-grace-2", "Betahaus")
    assert me.membership_in("nebenan") is None
    assert me.membership_in(None) is None


def test_the_token_of_an_admin_says_of_what(make_api: MakeAPI) -> None:
    me = make_api("alex").me()

    assert [(each.space, each.space_name, each.name) for each in me.admin_of] == [
        ("co-up", "co.up Coworking", "Alex Admin"),
        ("betahaus", "Betahaus", "Alex Admin"),
    ]
    assert me.administrates("co-up")
    assert not me.administrates("nebenan")


def test_who_somebody_is_is_asked_at_the_provider_whatever_the_space(make_api: MakeAPI, cobot: StandIn) -> None:
    make_api(space="co-up").me()

    assert cobot.requests[-1] == ("GET", f"www.cobot.localhost:{cobot.port}", "/api/user")


@pytest.mark.parametrize("space", ["www", "api", "CO-UP", "co.up", "", "../co-up", "evil.example/", 5])
@pytest.mark.usefixtures("in_portal")
def test_a_space_that_the_app_does_not_know_has_no_api(cobot: StandIn, space: str) -> None:
    assert refusal(lambda: CobotAPI("a-token-of-somebody", space=space)).code == "address_forbidden"
    assert cobot.requests == []
