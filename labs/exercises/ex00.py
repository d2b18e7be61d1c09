"""The exercise of lesson 00, Start here."""

import re

from labs.servers.hello import hello

from .exercise import BASICS, Exercise


def greeter(lab):
    """A site that greets by the cell's greet()."""
    return lab.guard(hello(lambda cookies: lab.call("greet", cookies)))


GREET = Exercise(
    "00.1",
    "A server that remembers",
    defines=("greet",),
    imports=BASICS | {"html", "random"},
    minutes=5,
    hints=(
        "Two cases: the browser brought a cookie `name`, or it did not. In the first there is nothing new to set.",
        "`cookies.get('name')` is None for a stranger. For them, draw one of the birds and return it in the dict.",
        "The text is HTML, and the cookie is whatever somebody typed: `html.escape(name)` makes it plain text.",
    ),
    mount=greeter,
)


def come_again(lab, person):
    """A new browser's first visit. Returns the visitor and the name that the server gave it."""
    visitor = lab.site.visitor(person)
    first = lab.visit(visitor, "/")
    name = visitor.cookies.get("name")
    lab.expect(
        bool(name), "after the first visit the browser holds a cookie called name", "it holds none", first.exchange
    )
    lab.expect(
        "stranger" in first.text.lower(),
        "the first time the server says stranger",
        f"it said {first.text!r:.60}",
        lab.last,
    )
    return visitor, name


@GREET.customer(
    "Whoever comes a second time is greeted by name", look_at="the two cases: cookies has a name, or it has none"
)
def second_visit(lab):
    visitor, name = come_again(lab, "ana")
    for time in ("second", "third"):
        text = lab.visit(visitor, "/").text
        lab.expect(
            name in text and "stranger" not in text.lower(),
            f"the {time} time the greeting says {name}, and not stranger",
            f"it said {text!r:.60}",
            lab.last,
        )


@GREET.customer("Two visitors are two people", look_at="where the name is kept: with the browser, or in the server")
def two_visitors(lab):
    (ana, hers), (ben, his) = come_again(lab, "ana"), come_again(lab, "ben")
    for visitor, own, other in ((ana, hers, his), (ben, his, hers), (ana, hers, his)):
        text = lab.visit(visitor, "/").text
        mixed = own not in text or (other != own and other in text)
        lab.expect(
            not mixed, f"{visitor.name}'s browser brought {own}, and is greeted so", f"it was {text!r:.60}", lab.last
        )


@GREET.probe("A forged name is only text", look_at="what becomes of < and > on the way into the page")
def forged_name(lab):
    number = lab.random.randrange(1000)
    for forged in (f"<b>admin{number}</b>", f"<script>alert({number})</script>", f"A&B<i>{number}"):
        visitor = lab.site.visitor("mallory")
        visitor.cookies["name"] = forged
        text = lab.visit(visitor, "/").text
        lab.expect(
            not any(tag in text for tag in re.findall("<[^>]+>", forged)),
            "a name with < in it reaches the page as text that a browser shows (ASVS 1.2.1)",
            f"of the name {forged} something became part of the page: {text!r:.80}",
            lab.last,
        )
