"""Read a page that stands alone as a person does, in a real browser, in both themes; and as text, tag by tag."""

from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from labs.bench.browser import FLAGS, find_browser

#: What a template of ours may use. A page that has anything else has it from a stranger.
TAGS = set(
    """
    html head meta title style body main section header footer h1 h2 h3 p a strong code pre span bdi mark div ul ol
    li dl dt dd table caption thead tbody tr th td details summary figure figcaption svg rect text
    """.split()  # noqa: SIM905
)
INLINE = {"a", "strong", "code", "span", "bdi", "mark"}
VOID = {"meta", "br", "rect"}


class Parsed(HTMLParser):
    """The text of a page and its elements; what stands in <style> is no text."""

    def __init__(self, html: str):
        super().__init__()
        self.nodes, self.tags, self.attributes, self._open = [], [], [], []
        self.feed(html)
        self.close()
        assert not self._open, f"not closed: {self._open}"

    def handle_starttag(self, tag, attrs):
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.nodes.append("" if tag in INLINE else " ")
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if "style" not in self._open:
            self.nodes.append(data)

    @property
    def text(self) -> str:
        """All text, with single spaces."""
        return " ".join("".join(self.nodes).split())


def is_harmless(html: str) -> None:
    """Nothing in the page can run, load, send or hide: whatever a stranger wrote is text."""
    page = Parsed(html)
    assert set(page.tags) <= TAGS
    names = {name for _, name, _ in page.attributes}
    assert not [name for name in names if name.startswith("on") or name in ("style", "src", "srcdoc", "action")]
    for tag, name, value in page.attributes:
        if name == "href":
            assert tag == "a"
            assert value.startswith(("#", "../feedback/", "https://hub.example.org/"))
    assert all(one.isprintable() or one in "\n\t" for one in html)


@contextmanager
def reader():
    """Gives read(path), which holds the page in this file against axe-core in both themes, all of it unfolded."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(find_browser()), args=list(FLAGS))
        try:
            yield lambda path: _read(chromium, path)
        finally:
            chromium.close()


def _read(chromium, path: Path) -> None:
    grounds = set()
    for theme in ("light", "dark"):
        page = chromium.new_page(color_scheme=theme, viewport={"width": 1000, "height": 800})
        said, asked = [], []
        page.on("dialog", lambda dialog, said=said: (said.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        page.goto(path.as_uri())
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert "color-contrast" in [rule["id"] for rule in found.response["passes"]]
        grounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert not _runs(page)
        assert (said, asked) == ([], [path.as_uri()])
        page.close()
    assert len(grounds) == 2  # the policy lets our own style through, and it knows both themes


def _runs(page) -> bool:
    """Whether a script that got into the page would run; the page's policy forbids it."""
    return page.evaluate("""() => {
        const script = document.createElement("script");
        script.textContent = "window.ran = true";
        document.body.append(script);
        return window.ran === true;
    }""")
