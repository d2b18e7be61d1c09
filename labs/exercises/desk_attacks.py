"""Attacks on each place of lab 39's desk, as a raid carries them out: `attack(http, ana, me)`.

A learner could have written each of them, and the tests hand them in.
"""

import hashlib
import json
import re

from .desk_tools import cookie_in, log_in, read

EVIL = "evil.fernbank.localhost"
ORDER = {"to": "mallory", "amount": "7"}
WRONG = {"csrf": "guessed"}  # so that the attack lands where the token is not asked for, and nowhere else


def base(name):
    """The policy's name of the cookie: without its prefix."""
    return name.rpartition("-")[2]


def toss(http, ana, me, *disguises):
    """From the sibling host: Mallory's own id in Ana's browser, under other names, where notes are written."""
    name, id = log_in(http, me)
    ana("log in")
    names = [disguise(name) for disguise in disguises]
    cookies = [f"{one}={id}; Domain=fernbank.localhost; Path=/notes; Secure" for one in names]
    ana("visit", page={"host": EVIL, "cookies": cookies})
    ana("write a note")


def forged_order(ana, **more):
    """Ana, logged in, opens a page on the sibling host that sends an order to pay Mallory."""
    ana("log in")
    ana("visit", page={"host": EVIL, "path": "/transfer", "fields": ORDER | more})


def forged_login(ana, me, **page):
    """A page elsewhere logs Ana in as Mallory; then she writes a note."""
    fields = {"username": me["username"], "password": me["password"]}
    ana("visit", page={"path": "/login", "fields": fields, **page})
    ana("write a note")


def as_json(fields):
    """A form's one field, which reads as JSON when it is sent as text/plain."""
    return {json.dumps(fields)[:-1] + ', "x": "': '"}'}


# ---- ids -----------------------------------------------------------------------------------------------------


def new_id_counted(http, ana, me):
    """From her own id Mallory computes the ones that come next."""
    name, id = log_in(http, me)
    for number in range(1, 1000):
        if hashlib.sha256(f"{base(name)}:{number}".encode()).hexdigest() == id:
            ana("log in")
            for later in range(number + 1, number + 5):
                read(http, name, hashlib.sha256(f"{base(name)}:{later}".encode()).hexdigest())
            return


def new_id_by_the_clock(http, ana, me):
    """Mallory computes the ids of the second in which Ana logs in."""
    name, _ = log_in(http, me)
    at = int(ana("log in")["at"])
    for number in range(8):
        read(http, name, hashlib.sha256(f"{at}.{number}".encode()).hexdigest())


# ---- the store -----------------------------------------------------------------------------------------------


def key_spelled(http, ana, me):
    """Mallory reads ids in a copy of the store, in another spelling."""
    name, _ = log_in(http, me)
    ana("log in")
    for key in ana("leak"):
        spelled = re.sub(r"[^0-9a-f]", "", key.partition(":")[2])
        id = bytes.fromhex(spelled[: len(spelled) // 2 * 2])
        if id.isascii() and id.decode().isprintable():
            read(http, name, id.decode())


def key_as_id(http, ana, me):
    """Mallory sends what stands in a copy of the store as an id."""
    name, _ = log_in(http, me)
    ana("log in")
    for key, record in ana("leak").items():
        if record.get("user") == "ana":
            read(http, name, key)


def create_tells(http, ana, me):
    """Mallory finds an id in a record of the store."""
    name, _ = log_in(http, me)
    ana("log in")
    for record in ana("leak").values():
        if record.get("user") == "ana" and "id" in record:
            read(http, name, record["id"])


# ---- the cookie ----------------------------------------------------------------------------------------------


def cookie_name_tossed(http, ana, me):
    """A sibling host plants Mallory's id under the cookie's own name."""
    toss(http, ana, me, lambda name: name)


def set_cookie_read(http, ana, me):
    """A script in the page reads the cookie."""
    ana("log in")
    http("GET", "/balance", {"Cookie": ana("run a script")}, None)


def read_cookie_white_space(http, ana, me):
    """A sibling host plants a cookie whose name begins with a no-break space (\\xa0)."""
    toss(http, ana, me, lambda name: "\xa0" + name)


def read_cookie_ending(http, ana, me):
    """A sibling host plants a cookie whose name ends as the bank's does."""
    toss(http, ana, me, lambda name: "x" + name)


def read_cookie_alike(http, ana, me):
    """A sibling host plants cookies whose names resemble the bank's."""
    toss(http, ana, me, base, lambda name: name + "2", lambda name: f"evil-{name}", lambda name: "\x85" + name,
         lambda name: name.lstrip("_"), lambda name: f"{name}\xa0")  # fmt: skip


# ---- time ----------------------------------------------------------------------------------------------------


def ended_in_silence(http, ana, me):
    """Ana leaves without logging out; an hour later Mallory sits down."""
    name, _ = log_in(http, me)
    ana("log in")
    ana("leave", hours=1)
    read(http, name, ana("left behind").get(name))


def ended_while_busy(http, ana, me):
    """Ana leaves a page open that asks for something now and then; eleven hours later Mallory sits down."""
    name, _ = log_in(http, me)
    ana("log in")
    ana("leave", hours=11, busy=True)
    read(http, name, ana("left behind").get(name))


# ---- log-in and log-out --------------------------------------------------------------------------------------


def rotate_a_visitors_id(http, ana, me):
    """Ana logs in where Mallory has left a visitor's id."""
    name, id = cookie_in(http("GET", "/csrf", {}, None))
    ana("sit down", cookies={name: id})
    ana("log in")
    read(http, name, id)


def rotate_a_made_up_id(http, ana, me):
    """Ana logs in where Mallory has left an id that she made up."""
    name, id = cookie_in(http("GET", "/csrf", {}, None))
    made_up = id[::-1]
    ana("sit down", cookies={name: made_up})
    ana("log in")
    read(http, name, made_up)


def revoke_and_replay(http, ana, me):
    """After Ana's log-out Mallory sends the id that Ana had."""
    name, _ = log_in(http, me)
    ana("log in")
    ana("log out")
    read(http, name, ana("left behind").get(name))


def remember_three(http, ana, me):
    """Ana logs out everywhere, and the first of three devices stays in."""
    devices_left(http, ana, me, ["phone", "tablet", "laptop"], "phone")


def remember_many(http, ana, me):
    """Ana logs out everywhere, and one of many devices stays in."""
    devices_left(http, ana, me, [f"device {number}" for number in range(7)], "device 0")


def devices_left(http, ana, me, devices, which):
    """Ana logs in on these devices and, on the last of them, logs out everywhere; Mallory sits at another."""
    name, _ = log_in(http, me)
    for one in devices:
        ana("log in", one)
    ana("log out everywhere", devices[-1])
    read(http, name, ana("left behind", which).get(name))


def revoke_all_newest(http, ana, me):
    """Ana logs out everywhere, and the device in her hand keeps its id."""
    devices_left(http, ana, me, ["laptop"], "laptop")


def revoke_all_after_a_log_out(http, ana, me):
    """Ana logs out everywhere after she has logged out on one device, and another stays in."""
    name, _ = log_in(http, me)
    ana("log in")
    ana("log out")
    devices_left(http, ana, me, ["phone"], "phone")


def revoke_all_newest_of_three(http, ana, me):
    """Ana logs out everywhere, and one of three devices stays in."""
    name, _ = log_in(http, me)
    for one in ("phone", "laptop", "library"):
        ana("log in", one)
    ana("log out everywhere", "laptop")
    for one in ("phone", "laptop", "library"):
        read(http, name, ana("left behind", one).get(name))


# ---- what was meant ------------------------------------------------------------------------------------------


def own_token(http, cookie):
    """The token that the bank shows Mallory for her own session."""
    return json.loads(http("GET", "/csrf", {"Cookie": cookie}, None)["body"])["csrf"]


def token_of_mallory(http, ana, me):
    """A sibling's form carries the token of Mallory's own session."""
    forged_order(ana, csrf=own_token(http, "=".join(log_in(http, me))))


def token_of_a_visitor(http, ana, me):
    """A sibling's form carries the token of a visitor's session."""
    forged_order(ana, csrf=own_token(http, ""))


def token_by_name(http, ana, me):
    """A sibling's form carries a token that Mallory computed from Ana's name."""
    name, _ = log_in(http, me)
    forged_order(ana, csrf=hashlib.sha256(f"{base(name)}:ana".encode()).hexdigest())


def token_from_before(http, ana, me):
    """A sibling's form carries the token from before Ana's log-in."""
    name, id = cookie_in(answer := http("GET", "/csrf", {}, None))
    token = json.loads(answer["body"])["csrf"]
    ana("sit down", cookies={name: id})
    forged_order(ana, csrf=token)


def token_fits_empty(http, ana, me):
    """A sibling's form carries an empty token."""
    forged_order(ana, csrf="")


def token_fits_missing(http, ana, me):
    """A sibling's form carries no token."""
    forged_order(ana)


def token_fits_a_letter(http, ana, me):
    """A sibling's form carries one letter for a token."""
    ana("log in")
    for letter in "0123456789abcdef":
        ana("visit", page={"host": EVIL, "path": "/transfer", "fields": ORDER | {"csrf": letter}})


def token_fits_what_is_no_text(http, ana, me):
    """A sibling's form carries a token that is no text."""
    ana("log in")
    for value in (None, [], {}, True, 0, [""]):
        fields = as_json({"to": "mallory", "amount": 7, "csrf": value})
        ana("visit", page={"host": EVIL, "path": "/transfer", "fields": fields, "enctype": "text/plain"})


def own_page_begins_alike(http, ana, me):
    """A page on a host that begins as the bank's does logs Ana in as Mallory."""
    host = me["bank"].partition("//")[2].partition(":")[0]
    forged_login(ana, me, host=f"{host}.mallory.localhost")


def own_page_ends_alike(http, ana, me):
    """A page on a host that ends as the bank's does logs Ana in as Mallory."""
    forged_login(ana, me, host="evilfernbank.localhost")


def own_page_sibling(http, ana, me):
    """A page on a sibling host logs Ana in as Mallory."""
    forged_login(ana, me, host=EVIL)


def own_page_null(http, ana, me):
    """A page that has `Origin: null` sent logs Ana in as Mallory."""
    forged_login(ana, me, hides=True)


def own_page_elsewhere(http, ana, me):
    """A page on another site logs Ana in as Mallory."""
    forged_login(ana, me)


def allows_a_link(http, ana, me):
    """A link elsewhere pays Mallory by GET."""
    ana("log in")
    ana("visit", page={"method": "GET", "path": "/pay", "fields": ORDER | WRONG})


def allows_text(http, ana, me):
    """A sibling's form pays Mallory with JSON as text/plain."""
    ana("log in")
    fields = as_json({"to": "mallory", "amount": 7} | WRONG)
    ana("visit", page={"host": EVIL, "path": "/transfer", "fields": fields, "enctype": "text/plain"})


def allows_another_method(http, ana, me):
    """A sibling's form pays Mallory by ?_method=PUT."""
    ana("log in")
    for method in ("PUT", "put", "Put"):
        ana("visit", page={"host": EVIL, "path": f"/transfer?_method={method}", "fields": ORDER | WRONG})


def allows_a_form(http, ana, me):
    """A sibling's form pays Mallory with a token that was guessed."""
    forged_order(ana, **WRONG)


def of_place(place):
    """Every attack on this place."""
    return [run for name, run in globals().items() if name.startswith(place + "_") and _fits(place, name)]


PLACES = (
    "new_id", "key", "create", "cookie_name", "set_cookie", "read_cookie", "ended", "rotate", "revoke", "revoke_all",
    "remember", "token", "token_fits", "own_page", "allows",
)  # fmt: skip


def _fits(place, name):
    """Whether the attack's name begins with this place's and no longer one's: revoke_all_... is none on revoke."""
    return place == max((one for one in PLACES if name.startswith(one + "_")), key=len)
