"""Answers to the exercises of lab 39's desk, right and wrong, for any learner's seed."""

import ast
import inspect
import textwrap

from labs.exercises import desk_attacks
from labs.servers.planted import chosen, desk, place

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


assert ast.parse(raid("fernbank"))
