"""What the customers of lab 39's desk need, and what no raid can show: a function a thing.

Each works at `lab.site`, a bank on the desk `lab.desk`, and raises ProbeFailed, LearnerError or Refused.
"""

import base64
import re

from labs.bench.jar import CookieJar

from .ex10 import entropy
from .ex30 import Served, in_session, served, served_page

FORM = "application/x-www-form-urlencoded"
BANK = "https://bank.fernbank.example/"  # a host that is not this machine, where Secure and sites count in full

# ---- what customers need -------------------------------------------------------------------------------------


def log_in_and_out(lab):
    """Ana and Ben log in, see their own accounts, log out, and are out."""
    for name in lab.random.sample(["ana", "ben"], 2):
        customer = in_session(lab, name)
        events = [one for one in lab.site.record if one.person == name]
        said = str(events[-1]) if events else "nothing"
        lab.expect(said == f"{name} read their own balance", f"{name} sees {name}'s account", f"the record: {said}")
        served(lab, customer.log_out(), name.title())
        after = customer.read("/balance")
        lab.expect(after.status == 401, "after a log-out nobody is in", lab.answered(after), after.exchange)
        served(lab, customer.log_in(), name.title())


def link_from_elsewhere(lab):
    """A link in a mail finds Ana logged in, and her cookie stands among others."""
    ana = in_session(lab)
    jar, id = ana._visitor.cookies, next(iter(ana.copied().values()))
    sent = jar.header(ana._visitor.url_of("/balance"), initiator="https://mail.example/") or ""
    lab.expect(id in sent, "a link from another site brings the cookie along", f"the browser sent {sent!r}")
    header = f"theme=dark; broken; {sent}; lang=en"
    response = lab.visitor("ana").send("GET", "/balance", headers={"Cookie": header})
    lab.expect(response.status == 200, f"the id is found in Cookie: {header!r:.80}", lab.answered(response), lab.last)


def basket_and_large_sum(lab):
    """A visitor's basket survives the log-in; after the password once more a large sum may go."""
    ana = Served(lab, "ana")
    item = lab.random.choice(["a savings book", "a card", "a loan"])
    served(lab, ana.submit("/basket", "/basket", item=item))
    served(lab, ana.log_in())
    page = ana.read("/basket")
    lab.expect(item in page.text, f"a basket with {item}", "it was empty", page.exchange)
    refused = ana.submit("/balance", "/transfer", to="ben", amount="1001")
    lab.expect(refused.status == 403, "more than 1,000 ferns need the password once more", lab.answered(refused))
    served(lab, ana.submit("/me", "/confirm", password=lab.site.password_of("ana")))
    served(lab, ana.submit("/balance", "/transfer", to="ben", amount="1001"))


def forms(lab):
    """Two tabs are open; their forms are sent in any order. With Sec-Fetch-* and without."""
    for metadata in (True, False):
        ana = in_session(lab, metadata=metadata)
        served(lab, ana.submit("/balance", "/transfer", to="ben", amount=str(lab.random.randrange(1, 9))))
        served(lab, ana.submit("/notes", "/notes", text="a note"))
        token = ana.read("/csrf").json()["csrf"]
        again = ana.read("/csrf").json()["csrf"]
        lab.expect(token == again, "two tabs of a session share one token", f"{token!r:.40} and {again!r:.40}")
        served(lab, ana.read(f"/pay?to=ben&amount=1&csrf={token}"))
        served(lab, ana.log_out())


def within_limits(lab):
    """One second before each limit Ana is still in."""
    idle, absolute = lab.desk.policy["idle_timeout"], lab.desk.policy["absolute_timeout"]
    ana, began = in_session(lab), lab.now
    while lab.now - began < absolute - 1:
        lab.skip(seconds=min(idle - 1, absolute - 1 - (lab.now - began)))
        served_page(lab, ana.read("/balance"))


def other_device_stays(lab):
    """A log-out on the phone leaves the laptop in."""
    phone, laptop = in_session(lab), in_session(lab)
    served(lab, phone.log_out())
    served_page(lab, laptop.read("/balance"))


def all_devices(lab):
    """Log out everywhere ends Ana's sessions, says how many, and leaves Ben in."""
    many = lab.random.randrange(3, 6)
    devices, ben = [in_session(lab) for _ in range(many)], in_session(lab, "ben")
    served(lab, devices[-1].submit("/me", "/confirm", password=lab.site.password_of("ana")))
    id = next(iter(devices[0].copied().values()))
    token = devices[0].read("/csrf").json()["csrf"]
    answer = devices[0].fetch("/logout/everywhere", {"csrf": token})
    served(lab, answer)
    ended = answer.json()["ended"]
    lab.expect(ended == many, f"{many} sessions ended", f"revoke_all() gave {ended}", answer.exchange)
    lab.expect(lab.desk.load(id) is None, "Ana is out on every device", "load() still gave a session")
    served_page(lab, ben.read("/balance"))
    served(lab, devices[0].log_in())


# ---- what no raid can show -----------------------------------------------------------------------------------


def strong_ids(lab):
    """Ids carry at least 128 bits, and a restarted server repeats none."""
    runs, reseed = [], lab.random.randrange(1_000_000)
    for _ in range(2):
        lab.process.kill()
        lab.process.load(lab.now, reseed)
        lab.store.records.clear()
        policy = {**lab.desk.policy, "origin": lab.site.page}
        name = lab.make("MyDesk", lab.remote("store"), policy)
        runs.append(lab.call_many(f"{name}.create", 200, None, False))
    bits = entropy(runs[0])
    lab.expect(bits >= 120, "at least 128 bits that nobody can know (ASVS 7.2.3)", f"the ids vary by {bits:.0f} bits")
    again = set(runs[0]) & set(runs[1])
    lab.expect(not again, "other ids after a restart", "it gave out the same ids: they can be computed")


def store_tells_nothing(lab):
    """No id stands in the store, and nothing that stands there opens a session."""
    ana = in_session(lab)
    ((name, id),) = ana.copied().items()
    stored, raw = lab.store.text(), id.encode()
    spellings = id, id[::-1], raw.hex(), raw[::-1].hex(), base64.b64encode(raw).decode().rstrip("="), id.swapcase()
    for spelled in (*spellings, base64.urlsafe_b64encode(raw).decode().rstrip("=")):
        lab.expect(spelled not in stored, "no id stands in the store, in any spelling", "one stands there, readable")
    words = {word for word in re.split(r"[\s\"'{}\[\](),;]+", stored) if len(word) > 7}
    words |= {part for word in words for part in re.split(r"[:/|.]", word) if len(part) > 7}
    for word in sorted(words):
        answer = lab.visitor("mallory").send("GET", "/balance", headers={"Cookie": f"{name}={word}"})
        lab.expect(answer.status == 401, "no text from the store opens a session", lab.answered(answer), lab.last)


def cookie_at_home(lab):
    """At a host that is not this machine no script, no plain http, no sibling and no other site has the cookie."""
    in_session(lab)
    jar, id = CookieJar(), lab.desk.create("ana", False)
    header = lab.desk.set(id)
    stored = type(header) is str and jar.store(header, BANK)
    kept = stored and id in (jar.header(BANK) or "")
    lab.expect(kept, "a cookie that a browser stores", f"Set-Cookie: {header!r:.99}")
    name = (jar.header(BANK) or "").partition("=")[0]
    seen = {
        "a script": jar.script(BANK),
        "plain http": jar.header("http://bank.fernbank.example/"),
        "a sibling host": jar.header("https://shop.fernbank.example/"),
        "another site's form": jar.header(BANK, initiator="https://mallory.example/", method="POST"),
    }
    for who, what in seen.items():
        lab.expect(id not in (what or ""), f"the cookie is not for {who} (ASVS 3.3)", f"{who} has it: {what!r:.99}")
    jar.store(f"{name}=tossed; Domain=fernbank.example; Path=/; Secure", "https://shop.fernbank.example/")
    sent = jar.header(BANK) or ""
    lab.expect("tossed" not in sent, "no sibling host can set such a cookie", f"the browser sent {sent!r:.99}")


def one_cookie_counts(lab):
    """What is malformed, or another cookie, holds no id."""
    id, name = lab.desk.create("ana", False), lab.desk.cookie_name()
    others = f"{name}=", f"{name.lower()}={id}", f"{name}x={id}", f"x{name}={id}", f"\xa0{name}={id}", f"x={id}"
    for header in (None, "", "=", name, *others):
        given = lab.desk.read(header)
        lab.expect(given != id and not given, f"None for Cookie: {header!r:.60}", f"read_cookie() gave {given!r:.60}")


def limits(lab):
    """Each limit ends a session exactly when it is reached, however busy it was."""
    idle, absolute = lab.desk.policy["idle_timeout"], lab.desk.policy["absolute_timeout"]
    ana = in_session(lab)
    lab.skip(seconds=60)
    served_page(lab, ana.read("/balance"))
    lab.skip(seconds=idle)
    is_out(lab, ana, f"after {idle // 60} minutes of silence a session has ended (ASVS 7.3.1)")
    ana, began = in_session(lab), lab.now
    while lab.now - began < absolute - 600:
        lab.skip(seconds=600)
        served_page(lab, ana.read("/balance"))
    served(lab, ana.submit("/me", "/confirm", password=lab.site.password_of("ana")))
    lab.skip(seconds=600)
    is_out(lab, ana, f"{absolute // 3600} hours after the log-in a session has ended, however busy (ASVS 7.3.2)")


def is_out(lab, customer, because):
    """Expect that this browser is not logged in any more."""
    answer = customer.read("/balance")
    lab.expect(answer.status == 401, because, lab.answered(answer), answer.exchange)


def old_id_is_over(lab):
    """After a log-in, and after a confirmation, the id from before is worth nothing; Ben inherits nothing."""
    visitor = lab.desk.create()
    ana = lab.desk.rotate(visitor, "ana", False)
    lab.expect(ana != visitor, "a log-in gives a new id (ASVS 7.2.4)", "rotate() gave the old one")
    elevated = lab.desk.rotate(ana, "ana", True)
    lab.desk.save(elevated, {"basket": ["a loan"]})
    ben = lab.desk.rotate(elevated, "ben", False)
    for id in (visitor, ana, elevated):
        lab.expect(lab.desk.load(id) is None, "the id from before ends with it (ASVS 7.2.4)", "load() gave a session")
    session = lab.desk.load(ben) or {}
    anew = session.get("elevated") is False and session.get("data") == {}
    lab.expect(anew, "Ben's log-in is not elevated, and holds no data of Ana's", f"load() gave {session}")


def ended_at_the_server(lab):
    """A log-out ends the record itself, and says so."""
    id = lab.desk.create("ana", False)
    said = [lab.desk.revoke(id), lab.desk.load(id), lab.desk.revoke(id)]
    lab.expect(said == [True, None, False], "True; then no session; then False", f"revoke, load, revoke gave {said}")


def every_one(lab):
    """revoke_all finds those that were elevated, and goes on behind those that timed out or were logged out."""
    first = lab.desk.create("ana", False)
    lab.skip(seconds=lab.desk.policy["idle_timeout"])
    ids = [lab.desk.create("ana", False) for _ in range(5)]
    lab.desk.revoke(ids.pop(lab.random.randrange(5)))
    ids[0] = lab.desk.rotate(ids[0], "ana", True)
    lab.desk.revoke_all("ana")
    alive = [id for id in (first, *ids) if lab.desk.load(id) is not None]
    lab.expect(not alive, "no session of Ana's is left (ASVS 7.4.2)", f"{len(alive)} of {len(ids)} still load")


def tokens_differ(lab):
    """Each session has a token of its own, and no other token fits."""
    ids = [lab.desk.create(user) for user in ("ana", "ana", "ben", None)]
    tokens = [lab.desk.token(id, {}) for id in ids]
    lab.expect(len(set(tokens)) == 4, "four sessions, four tokens", f"token() gave {tokens!r:.160}")
    mine, other = tokens[:2]
    fits = lab.desk.token_fits(ids[0], mine)
    lab.expect(fits is True, "True for the session's own token", f"token_fits() gave {fits!r}")
    near = [mine[:-1], mine + "0", mine[:1], mine[::-1], mine.upper() if mine.islower() else mine.lower() + "x"]
    for wrong in (None, "", " ", other, *near, [], {}, [mine], True, 0, 1.5, "é", "\0"):
        fits = lab.desk.token_fits(ids[0], wrong)
        lab.expect(fits is False, f"False for {wrong!r:.60}", f"token_fits() gave {fits!r}")


def one_origin(lab):
    """The bank's own origin, whole, and no other."""
    in_session(lab, page=None)
    own = lab.site.page
    answer = lab.desk.own_page({"Origin": own, "Host": own.partition("//")[2], "Sec-Fetch-Site": "same-origin"})
    lab.expect(answer is True, f"True for Origin: {own}", f"own_page() gave {answer!r}")
    host = own.partition("//")[2]
    for origin in (None, "", "null", own + "0", own[:-1], f"{own}.mallory.example", f"http://evil.{host}", own + "/",
                   f"https://{host}", f"http://x@{host}", f"http://mallory.example/{own}", own.rpartition(":")[0],
                   f"http://mallory.example, {own}"):  # fmt: skip
        headers = {"Host": host, "Referer": f"{own}/login"} | ({} if origin is None else {"Origin": origin})
        answer = lab.desk.own_page(headers)
        lab.expect(answer is False, f"False for Origin: {origin}", f"own_page() gave {answer!r}")


def whatever_the_method(lab):
    """What changes something needs the token or the own page, by any method, of any type."""
    ana = in_session(lab)
    id, own = next(iter(ana.copied().values())), {"Origin": lab.site.page}
    token = lab.desk.token(id, {})
    for method in lab.random.sample(["GET", "POST", "PUT", "PATCH", "DELETE", "get"], 6):
        for type in (FORM, "text/plain", "application/json", ""):
            said = {"method": method, "changes": True, "headers": {**own, "Content-Type": type}, "fields": {}}
            answer = lab.desk.allows(said, id)
            lab.expect(
                answer is False,
                f"False: {method} {type} in a session, without its token",
                f"allows() gave {answer!r}",
            )
    for session, fields in ((id, {"csrf": token}), (None, {})):
        said = {"method": "POST", "changes": True, "headers": {**own, "Content-Type": FORM}, "fields": fields}
        answer, what = lab.desk.allows(said, session), "with its token" if session else "without a session"
        lab.expect(answer is True, f"True: the bank's own form, {what}", f"allows() gave {answer!r}")
    answer = lab.desk.allows({"method": "POST", "changes": True, "headers": {}, "fields": {"csrf": token}}, None)
    lab.expect(answer is False, "False: no session, and nothing says which page sent it", f"allows() gave {answer!r}")
    answer = lab.desk.allows({"method": "GET", "changes": False, "headers": {}, "fields": {}}, None)
    lab.expect(answer is True, "True for what changes nothing", f"allows() gave {answer!r}")


CHECKS = {
    "new_id": [log_in_and_out, strong_ids],
    "key": [log_in_and_out, store_tells_nothing],
    "cookie_name": [log_in_and_out, link_from_elsewhere, cookie_at_home],
    "set_cookie": [log_in_and_out, link_from_elsewhere, cookie_at_home],
    "read_cookie": [log_in_and_out, link_from_elsewhere, one_cookie_counts],
    "create": [log_in_and_out, basket_and_large_sum, store_tells_nothing],
    "ended": [log_in_and_out, within_limits, limits],
    "rotate": [log_in_and_out, basket_and_large_sum, old_id_is_over, limits],
    "revoke": [log_in_and_out, other_device_stays, ended_at_the_server],
    "remember": [log_in_and_out, all_devices, every_one],
    "revoke_all": [log_in_and_out, all_devices, every_one],
    "token": [log_in_and_out, forms, tokens_differ],
    "token_fits": [log_in_and_out, forms, tokens_differ],
    "own_page": [log_in_and_out, forms, one_origin],
    "allows": [log_in_and_out, forms, basket_and_large_sum, whatever_the_method],
}
"""What must hold at each place: first what its customers need, then what no raid can show."""
