"""What somebody does on the page, and sees there. Elements are found as a person finds them: by name and role."""

from pathlib import Path

from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.page.platform import EMAIL, PASSWORD


class Person:
    """Sits before one page."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @property
    def problem(self) -> Locator:
        return self.page.get_by_role("alert").filter(visible=True)

    @property
    def status(self) -> Locator:
        return self.page.locator("#job-status")

    @property
    def banner(self) -> Locator:
        return self.page.locator("#connection")

    @property
    def recent(self) -> Locator:
        return self.page.get_by_role("region", name="Recent").get_by_role("link")

    @property
    def pending(self) -> Locator:
        return self.page.get_by_role("list", name="Files to translate").get_by_role("listitem")

    @property
    def files(self) -> Locator:
        return self.page.get_by_role("region", name="Files").locator("#sent-rows > li")

    def adds(self, *files: Path | FilePayload) -> "Person":
        self.page.get_by_label("Choose files").set_input_files(list(files))  # type: ignore[arg-type]  # of one kind
        return self

    def goes_to(self, view: str) -> "Person":
        self.page.get_by_role("navigation", name="Main").get_by_role("link", name=view).click()
        expect(self.page.get_by_role("heading", name=view, level=1)).to_be_focused()
        return self

    def opens(self) -> "Person":
        self.page.goto("/")
        return self

    def signs_in_with_key(self, key: str) -> "Person":
        self.opens().page.get_by_text("API key", exact=True).first.click()
        return self.sends_key(key)

    def sends_key(self, key: str) -> "Person":
        self.page.get_by_label("API key", exact=True).last.fill(key)
        self.page.get_by_role("button", name="Sign in").click()
        return self

    def signs_in(self, email: str = EMAIL, password: str = PASSWORD) -> "Person":
        self.opens().page.get_by_label("E-mail address").fill(email)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()
        return self

    def is_in(self) -> "Person":
        expect(self.page.get_by_label("Text to translate")).to_be_visible()
        expect(self.page.get_by_label("To", exact=True)).not_to_have_value("")
        return self

    def asks_for(
        self, text: str, target: str = "pt", source: str = "auto", priority: str = "standard"
    ) -> "Person":
        self.page.get_by_label("From").select_option(source)
        self.page.get_by_label("To", exact=True).select_option(target)
        self.page.get_by_label("Priority").select_option(priority)
        self.page.get_by_label("Text to translate").fill(text)
        return self.sends()

    def sends(self) -> "Person":
        self.page.get_by_role("button", name="Translate").click()
        return self

    def reads(self) -> list[list[str]]:
        """Return the rows as shown: source and translation."""
        rows = self.page.locator("#job-rows .row:not(.head):not(.blank)")
        return [row.get_by_role("cell").all_inner_texts() for row in rows.all()]
