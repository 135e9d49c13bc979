"""The tutorial, followed to the letter in an empty folder, with a real browser; and the README's ten lines likewise."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from .pictures import take_picture
from .samples import REPOSITORY, samples
from .walkthrough import Walkthrough

TUTORIAL = REPOSITORY / "docs" / "tutorial"
PARTS = re.findall(r"^\d\. \[.*\]\((.*)\.md\)", (TUTORIAL / "index.md").read_text(encoding="utf-8"), re.MULTILINE)
SAMPLES = samples()


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Walkthrough]:
    with Walkthrough(tmp_path) as walkthrough:
        yield walkthrough


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 760, "height": 420})
    context.route("https://**", lambda route: route.abort())  # people's photos are elsewhere
    yield context.new_page()
    context.close()


FollowTo = Callable[[str], str]


@pytest.fixture
def follow_to(reader: Walkthrough) -> FollowTo:
    """Follow the tutorial to the end of one part; where the portal is then."""

    def follow(last: str) -> str:
        for part in PARTS[: PARTS.index(last) + 1]:
            blocks = [sample for sample in SAMPLES if sample.page == TUTORIAL / f"{part}.md"]
            reader.follow(blocks, looks=part == last)
        return reader.open()

    return follow


def choose(page: Page, person: str) -> None:
    page.get_by_role("button", name=person).click()
    page.get_by_role("button", name="Allow").click()


def test_every_part_is_listed_once() -> None:
    assert len(PARTS) == len(set(PARTS))
    assert {path.stem for path in TUTORIAL.glob("*.md")} == {*PARTS, "index"}


def test_the_ten_lines_of_the_readme(reader: Walkthrough, page: Page) -> None:
    blocks = [sample for sample in SAMPLES if sample.place.startswith("README.md, Ten lines")]
    reader.follow(blocks[:2])
    reader.settings_of_the_stand_in()
    reader.follow(blocks[2:])

    page.goto(reader.open())
    choose(page, "Ada Lovelace")

    expect(page.locator("body")).to_have_text("Hello Ada Lovelace")


def test_the_first_login(follow_to: FollowTo, page: Page) -> None:
    page.goto(follow_to("first-login"))
    take_picture(page, "tutorial-people.png", height=596)
    choose(page, "Ada Lovelace")

    expect(page.locator("body")).to_have_text("Hello Ada Lovelace")


def test_two_spaces(follow_to: FollowTo, page: Page) -> None:
    portal = follow_to("spaces")
    page.goto(portal)
    page.get_by_role("link", name="Log in").first.click()
    choose(page, "Ada Lovelace")

    expect(page.get_by_role("heading", level=1)).to_have_text("Your desk at co.up")
    take_picture(page, "tutorial-desk.png", height=230)
    page.get_by_role("link", name="Our portal").click()
    expect(page.get_by_text("You are Ada Lovelace here.")).to_have_count(1)
    take_picture(page, "tutorial-home.png", height=464)

    page.goto(f"{portal}/betahaus/")
    assert "://betahaus.cobot.localhost:" in page.url
    not_served = page.goto(f"{portal}/nebenan/")
    assert not_served is not None
    assert not_served.status == 404

    page.goto(f"{portal}/co-up/")
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are logged out")
    page.goto(portal)
    expect(page.get_by_text("You are not logged in here.")).to_have_count(2)


def test_for_members(follow_to: FollowTo, page: Page) -> None:
    portal = follow_to("members")
    page.goto(f"{portal}/co-up/")
    choose(page, "Ada Lovelace")
    page.get_by_role("link", name="The lounge").click()
    expect(page.locator("main")).to_contain_text("1815")
    expect(page.get_by_role("link", name="The office")).to_have_count(0)

    page.goto(f"{portal}/betahaus/lounge")
    choose(page, "Ada Lovelace")
    expect(page.get_by_role("heading", level=1)).to_have_text("For members only")
    take_picture(page, "tutorial-members-only.png", height=560)

    page.context.clear_cookies()
    page.goto(f"{portal}/co-up/")
    choose(page, "Alex Admin")
    expect(page.get_by_role("link", name="The lounge")).to_have_count(0)
    page.get_by_role("link", name="The office").click()
    expect(page.locator("main")).to_contain_text("Nobody has complained")


def test_tests(follow_to: FollowTo, reader: Walkthrough) -> None:
    follow_to("tests")
    assert "4 passed" in reader.said

    app = (reader.folder / "app.py").read_text(encoding="utf-8")
    reader.write("app.py", app.replace("    @membership_required\n", ""))
    with pytest.raises(AssertionError, match="3 failed"):
        reader.run("pytest")
