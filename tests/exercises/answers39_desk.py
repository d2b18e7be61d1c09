"""Answers to the exercises of lab 39's desk, right and wrong, for any learner's seed."""

import inspect
import textwrap

from labs.exercises import desk_attacks, exercise
from labs.exercises.raids import ORDINALS, drawn
from labs.servers.planted import chosen, desk, place, places

#: For each flaw a raid that lands at it and at no other flaw: by its name in labs/exercises/desk_attacks.py.
RAID_ON = {
    "HashedCounter": "new_id_counted",
    "HashedClock": "new_id_by_the_clock",
    "PlainKey": "key_spelled",
    "KeysAreFine": "key_as_id",
    "OneUnderscore": "cookie_name_tossed",
    "SecureOnly": "cookie_name_tossed",
    "ShownToScript": "set_cookie_read",
    "Misspelt": "set_cookie_read",
    "WhiteSpace": "read_cookie_white_space",
    "EndsAlike": "read_cookie_ending",
    "IdInRecord": "create_tells",
    "BothFromLastUse": "ended_while_busy",
    "Together": "ended_in_silence",
    "CarriesOn": "rotate_a_visitors_id",
    "FormerIdToo": "rotate_a_visitors_id",
    "ClearsOnly": "revoke_and_replay",
    "DeletesById": "revoke_and_replay",
    "ForgetsOlder": "remember_three",
    "OnlyNewest": "remember_three",
    "LeavesNewest": "revoke_all_newest",
    "StopsAtFirst": "revoke_all_after_a_log_out",
    "OneForAll": "token_of_mallory",
    "UsersToken": "token_by_name",
    "NothingFits": "token_fits_empty",
    "LeftOutIsFine": "token_fits_missing",
    "BeginsAlike": "own_page_begins_alike",
    "SiblingsAreFine": "own_page_sibling",
    "NullIsFine": "own_page_null",
    "ByMethod": "allows_a_link",
    "ByContentType": "allows_text",
}


def raid(seed, **instead):
    """A raid on each flaw of this learner's desk. `instead`: the attack on a place, by its name; None for none."""
    on = {place(flaw): RAID_ON[flaw.__name__] for flaw in chosen("desk", seed)} | instead
    text = inspect.getsource(desk_attacks).partition("def of_place")[0]
    text = text.replace("from .desk_tools import cookie_in, log_in, read\n", "")
    methods = [
        f"    def {where}(self, http, ana, me):\n        {name}(http, ana, me)\n"
        for where, name in on.items()
        if name
    ]
    return text + "\n\nclass DeskRaid:\n    pass\n\n" + "\n".join(methods)


def method(where):
    """The text of a sound method, as it stands in a class."""
    return textwrap.indent(textwrap.dedent(inspect.getsource(getattr(desk.Desk, where))), "    ")


def mend(seed, *wrong, places=None):
    """MyDesk with sound methods in the place of this learner's flawed ones; `wrong` are methods' texts after them."""
    names = [place(flaw) for flaw in chosen("desk", seed)] if places is None else places
    imports = "import hashlib\nimport hmac\nimport secrets\nimport time\n\n\n"
    bodies = [method(one) for one in names] + [textwrap.indent(textwrap.dedent(one), "    ") for one in wrong]
    return imports + "class MyDesk(Desk):\n    pass\n\n" + "\n".join(bodies)


# ---- the tables, for the learner whose seed the tests have -----------------------------------------------------

SEED = "fernbank"
EVIDENCE = "Each accusation has its evidence, and no other"
FOUND = [f"The {which} flaw is found" for which in ORDINALS]
MENDED = [f"The {which} flaw is mended, and its customers are served" for which in ORDINALS]
DAILY, BASKET, WORKING_DAY, WHOLE = [one.title for one in exercise("39.2").probes if one.title not in MENDED]
NEW_ID, CREATE, ENDED, ROTATE, TOKEN = (place(flaw) for flaw in chosen("desk", SEED))
IN_ORDER = [place(flaw) for flaw in drawn("desk", SEED)]  # as the titles count them


def added(text, *more):
    """The source with more of these lines at its end: methods of the class that stands there."""
    return text + "\n" + "\n".join(textwrap.indent(textwrap.dedent(one), "    ") for one in more)


def without(wrong):
    """The source of a mend with this text in the place of a sound method."""
    return mend(SEED, wrong)


EVERYTHING = """
    def everything(self, http, ana, me):
        for attack in ({attacks}):
            try:
                attack(http, ana, me)
            except Exception:
                pass
"""
ALL = EVERYTHING.format(attacks=", ".join(dict.fromkeys(RAID_ON.values())) + ",")
NONE = "nothing that you handed in is evidence of it"
NEW_ID_, CREATE_, ENDED_, ROTATE_, TOKEN_ = (
    {FOUND[IN_ORDER.index(one)]: NONE} for one in (NEW_ID, CREATE, ENDED, ROTATE, TOKEN)
)
M_NEW_ID, M_CREATE, M_ENDED, M_ROTATE, M_TOKEN = (
    MENDED[IN_ORDER.index(one)] for one in (NEW_ID, CREATE, ENDED, ROTATE, TOKEN)
)
NO_ONE = dict.fromkeys(FOUND, NONE)
COUNTS = """
    def counts(self, http, ana, me):
        import json
        ana("log in", "b")
        ana("leave", "b", hours=1)
        name, id = cookie_in(http("GET", "/csrf", {}, None))
        ana("sit down", "a", cookies={name: id})
        ana("log in", "a")
        mine = [log_in(http, me)[1], log_in(http, me)[1]]
        counted = [hashlib.sha256(f"{base(name)}:{number}".encode()).hexdigest() for number in range(99)]
        records = ana("leak").values()
        tokens = {json.loads(http("GET", "/csrf", {"Cookie": f"{name}={one}"}, None)["body"])["csrf"] for one in mine}
        open_ = [
            rotate_a_visitors_id if http("GET", "/me", {"Cookie": f"{name}={id}"}, None)["status"] == 200 else None,
            ended_in_silence
            if http("GET", "/me", {"Cookie": f"{name}={ana('left behind', 'b')[name]}"}, None)["status"] == 200
            else None,
            new_id_counted if mine[0] in counted else None,
            create_tells if any("id" in one for one in records) else None,
            token_of_mallory if len(tokens) == 1 else None,
        ]
        if len(open_) - open_.count(None) == 1:
            max(open_, key=bool)(http, ana, me)
"""
RAID_RIGHT = {
    "other ways": raid(SEED, ended="ended_while_busy", token="token_of_a_visitor"),
    "with methods of its own": added(raid(SEED), "def helper(self): return 1", "def login(self): raise ValueError"),
    "only what is needed": raid(SEED).replace("class DeskRaid:\n    pass", "class DeskRaid:\n    allowed = True"),
}
RAID_WRONG = {
    f"the {which} is not found": (raid(SEED, **{where: None}), {title: NONE})
    for which, where, title in zip(ORDINALS, IN_ORDER, FOUND, strict=True)
} | {
    "nobody is accused": ("class DeskRaid:\n    pass", NO_ONE | {EVIDENCE: "it held, as it did before"}),
    "everybody is accused": (
        "class DeskRaid:\n" + "".join(f"    def {one}(self, http, ana, me): pass\n" for one in places("desk")),
        NO_ONE | {EVIDENCE: "15 accusations"},
    ),
    "one who is honest is accused, too": (raid(SEED, key="key_spelled"), NO_ONE | {EVIDENCE: "6 accusations"}),
    "one who is honest is accused, and another is not": (
        raid(SEED, key="key_spelled", token=None), TOKEN_ | {EVIDENCE: "either key() is sound"},
    ),
    "a raid that misses": (
        raid(SEED, token="token_fits_missing"), TOKEN_ | {EVIDENCE: "either token() is sound"},
    ),
    "one raid for all doors": (
        added(raid(SEED), ALL, *(f"{one} = everything" for one in places("desk"))),
        NO_ONE | {EVIDENCE: "15 accusations"},
    ),
    "one raid for the right doors": (
        added(raid(SEED), ALL, *(f"{one} = everything" for one in (NEW_ID, CREATE, ENDED, ROTATE, TOKEN))),
        NO_ONE | {EVIDENCE: "it lands somewhere else"},
    ),
    "one raid for all doors, where one alone is open": (
        added(raid(SEED), COUNTS, *(f"{one} = counts" for one in (NEW_ID, CREATE, ENDED, ROTATE, TOKEN))),
        NO_ONE | {EVIDENCE: "it lands somewhere else"},
    ),
    "the first raid does nothing, the second does all": (
        added(
            raid(SEED),
            ALL,
            "def new_id(self, http, ana, me):\n"
            "    import json\n"
            "    json.seen = getattr(json, 'seen', 0) + 1\n"
            "    json.seen > 1 and self.everything(http, ana, me)",
            *(f"{one} = new_id" for one in (CREATE, ENDED, ROTATE, TOKEN)),
        ),
        NO_ONE | {EVIDENCE: ""},
    ),
    "the raid of another place": (
        raid(SEED, create="ended_in_silence"), CREATE_ | {EVIDENCE: "has a sound create(): it lands somewhere else"},
    ),
    "a raid that breaks": (
        added(raid(SEED), "def token(self, http, ana, me): ana('sleep')"),
        TOKEN_ | {EVIDENCE: "your token raised TypeError: Ana knows no step 'sleep'"},
    ),
    "what Ana would not do": (
        added(raid(SEED), "def ended(self, http, ana, me): ana('leave', hours=0.1)"),
        ENDED_ | {EVIDENCE: "Ana is away for 1 to 48 hours"},
    ),
    "a cookie from under her nose": (
        added(raid(SEED), "def ended(self, http, ana, me): ana('log in'); ana('left behind')"),
        ENDED_ | {EVIDENCE: "nobody gets at laptop yet"},
    ),
    "the bank's own page": (
        added(raid(SEED), "def token(self, http, ana, me): ana('visit', page={'host': 'app.fernbank.localhost'})"),
        TOKEN_ | {EVIDENCE: "Mallory has no host 'app.fernbank.localhost'"},
    ),
}  # fmt: skip

STASH = """
import json

seen = json.__dict__.setdefault("seen", {})  # a module outlives the cell
now = {name: member for name, member in vars(Desk).items() if hasattr(member, "__code__")}
code = {name: (member.__code__.co_code, str(member.__code__.co_consts)) for name, member in now.items()}
for name in now:
    seen.setdefault(name, {})[code[name]] = now[name]


class MyDesk(Desk):
    pass


for one in now:
    others = [member for which, member in seen[one].items() if which != code[one]]
    if others and one in vars(MyDesk.__base__):
        setattr(MyDesk, one, others[-1])


"""
MEND_RIGHT = {
    "all of it, anew": mend(SEED, places=places("desk")),
    "as a mixin": mend(SEED).replace("class MyDesk(Desk):", "class Sound:")
    + "\n\nclass MyDesk(Sound, Desk):\n    pass\n",
    "in other words": without(
        """
        def new_id(self):
            return f"{secrets.randbits(256):064x}"

        def ended(self, session):
            ends = session["last_seen"] + self.policy["idle_timeout"]
            return self.clock() >= min(ends, session["created_at"] + self.policy["absolute_timeout"])

        def token(self, id):
            return hashlib.sha256(f"{len(id)}|{id}|{self.policy['secret']}".encode()).hexdigest()

        def create(self, *args, **kwargs):
            id = super().create(*args, **kwargs)
            record = self.store.get(self.key(id))
            self.store.replace(self.key(id), record, {key: record[key] for key in record if key != "id"})
            return id
        """
    ),
}
MEND_WRONG = {
    f"the {which} is left": (
        mend(SEED, places=[one for one in (NEW_ID, CREATE, ENDED, ROTATE, TOKEN) if one != where]),
        {title: "no method of yours stands where this flaw is", WHOLE: "one still does, where you wrote no method"},
    )
    for which, where, title in zip(ORDINALS, IN_ORDER, MENDED, strict=True)
} | {
    "nothing is mended": (
        "class MyDesk(Desk):\n    pass",
        dict.fromkeys((DAILY, BASKET, WORKING_DAY), "it held, as it did before")
        | dict.fromkeys(MENDED, "no method of yours")
        | {WHOLE: "one still does"},
    ),
    "nothing is mended, at length": (
        "class MyDesk(Desk):\n"
        + "".join(f"    def {one}(self, *args): return super().{one}(*args)\n" for one in places("desk")),
        dict.fromkeys((DAILY, BASKET, WORKING_DAY), "it held, as it did before")
        | {M_NEW_ID: "the same ids", M_CREATE: "readable", M_ENDED: "answered 200", M_ROTATE: "load() gave"}
        | {M_TOKEN: "token() gave", WHOLE: ""},
    ),
    "ids of 32 bits": (
        without("def new_id(self): return secrets.token_hex(4)"), {M_NEW_ID: "ids vary by", WHOLE: "ids vary by"},
    ),
    "ids of the clock, finer": (
        without(
            "def new_id(self):\n"
            "    self.n = getattr(self, 'n', 0) + 1\n"
            "    return hashlib.sha256(f'{self.clock() * 1e6}.{self.n}'.encode()).hexdigest()"
        ),
        {M_NEW_ID: "the same ids", WHOLE: "the same ids"},
    ),
    "the id backwards in the record": (
        without(method("create").replace('"elevated": elevated,', '"elevated": elevated, "log": id[::-1],')),
        {M_CREATE: "one stands there, readable", WHOLE: "readable"},
    ),
    "nobody but customers has a session": (
        without("def create(self, user=None, elevated=False, data=None, created_at=None):\n"
                "    return super().create(user, elevated, data, created_at) if user else ''"),
        {DAILY: "", BASKET: "", WORKING_DAY: "", M_CREATE: "", WHOLE: ""},
    ),
    "a log-in lives for ever when it is busy": (
        without(
            "def ended(self, session):\n"
            "    return self.clock() - session['last_seen'] >= self.policy['idle_timeout']"
        ),
        {M_ENDED: "answered 200", WHOLE: "answered 200"},
    ),
    "a second too late": (
        without(method("ended").replace(">=", ">")), {M_ENDED: "answered 200", WHOLE: "answered 200"},
    ),
    "every session is over": (
        without("def ended(self, session): return True"),
        {DAILY: "", BASKET: "", WORKING_DAY: "", M_ENDED: "", WHOLE: ""},
    ),
    "a new id, and the old one stays": (
        without(method("rotate").replace("self.revoke(id)", "pass")), {M_ROTATE: "load() gave a session", WHOLE: ""},
    ),
    "the basket stays behind": (
        without(method("rotate").replace('(old["data"] if theirs else {})', "{}")),
        {BASKET: "it was empty", M_ROTATE: "it was empty", WHOLE: "it was empty"},
    ),
    "an elevation starts the day anew": (
        without(method("rotate").replace('(old["created_at"] if inherits else None)', "None")),
        {M_ROTATE: "answered 200", WHOLE: "answered 200"},
    ),
    "a token of the user": (
        without("def token(self, id): return hmac.new(self.policy['secret'].encode(), "
                "str((self.load(id) or {}).get('user')).encode(), 'sha256').hexdigest()"),
        {M_TOKEN: "token() gave", WHOLE: "token() gave"},
    ),
    "a fresh token each time": (
        without("def token(self, id): return secrets.token_hex(16)"),
        {DAILY: "", BASKET: "", WORKING_DAY: "", M_TOKEN: "", WHOLE: ""},
    ),
    "links are no good any more": (
        without(method("set_cookie").replace("Lax", "Strict")), {WORKING_DAY: "the browser sent", WHOLE: "sent"},
    ),
    "whoever pays is refused": (
        without("def allows(self, request, id): return not request['changes']"),
        {DAILY: "answered 403", BASKET: "answered 403", WORKING_DAY: "answered 403", WHOLE: "answered 403"},
    ),
    "what other probes gave": (
        STASH + "\n".join(f"{one} = None" for one in places("desk")),
        dict.fromkeys((DAILY, BASKET, WORKING_DAY), "it held, as it did before")
        | dict.fromkeys(MENDED, "")
        | {WHOLE: ""},
    ),
    "whoever comes when Mallory has been there is refused": (
        without(
            "def load(self, id):\n    return None if self.store.get('user:mallory') else super().load(id)"
        ),
        dict.fromkeys(MENDED, "answered 401") | {WHOLE: "answered 401"}
        | dict.fromkeys((DAILY, BASKET, WORKING_DAY), "it held, as it did before"),
    ),
    "a longer list that ends, too": (
        without(method("remember").replace("key]}", "key][-6:]}")), {WHOLE: "mallory read ana's balance"},
    ),
    "something else is opened": (
        without("def own_page(self, headers): return headers.get('Origin', '').endswith('localhost')\n\n"
                "def token_fits(self, id, given): return True"),
        {WHOLE: ""},
    ),
}  # fmt: skip
TABLE = {"39.1": (raid(SEED), RAID_RIGHT, RAID_WRONG), "39.2": (mend(SEED), MEND_RIGHT, MEND_WRONG)}
