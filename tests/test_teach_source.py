"""check() judges the cell that defined what it is given, and says so when there is none."""

import functools
import json
import os

import pytest
from teach_cells import Kernel, cell

from labs.teach.source import NoSource, cell_of, plain

CALL = 'check("10.1", new_id)'


def test_the_whole_cell_of_a_function():
    source = "import secrets\n\nSIZE = 16\n\ndef new_id():\n    return secrets.token_urlsafe(SIZE)\n"
    assert cell_of((cell(source)["new_id"],), CALL) == source


def test_several_functions_of_one_cell():
    source = "def create():\n    pass\n\ndef load():\n    pass\n"
    names = cell(source)
    assert cell_of((names["create"], names["load"]), CALL) == source


@pytest.mark.parametrize(
    "source",
    [
        "class It:\n    def load(self, id):\n        return None\n",
        "class It:\n    @staticmethod\n    def load(id):\n        return None\n",
        "class It:\n    @classmethod\n    def load(cls, id):\n        return None\n",
        "class It:\n    @property\n    def size(self):\n        return 1\n",
        "from dataclasses import dataclass\n\n@dataclass\nclass It:\n    a: int\n    def load(self):\n        pass\n",
        "import functools\n\n@functools.cache\ndef It():\n    return 1\n",
        "import functools\n\ndef loud(f):\n    @functools.wraps(f)\n    def call():\n        return f()\n"
        "    return call\n\n@loud\ndef It():\n    pass\n",
    ],
)
def test_ways_to_write_it(source):
    assert cell_of((cell(source)["It"],), CALL) == source


def test_a_function_borrowed_by_a_class_is_not_where_the_class_stands():
    borrowed = cell("def helper(self):\n    pass\n")["helper"]
    source = "class It:\n    other = borrowed\n    def load(self):\n        pass\n"
    assert cell_of((cell(source, borrowed=borrowed)["It"],), CALL) == source


def test_two_cells_are_said_by_name():
    create, load = cell("def create():\n    pass\n")["create"], cell("def load():\n    pass\n")["load"]
    with pytest.raises(NoSource, match="create and load come from different cells.*same cell"):
        cell_of((create, load), CALL)


class Elsewhere:
    """Not from a cell."""


OBJECT = cell("class Sessions:\n    def load(self):\n        pass\n")["Sessions"]()


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ((), "Give check what you wrote, by its name"),
        (("new_id",), "given text.*without quotes"),
        ((lambda: 3,), "lambda.*def"),
        ((len,), "len is a part of Python"),
        (([].append,), "append is a part of Python"),
        ((dict,), "dict is a part of Python"),
        ((OBJECT,), "an object made from Sessions.*class itself"),
        ((OBJECT.load,), "load, a method of one object"),
        ((None,), "given None.*without brackets"),
        ((17,), "a value of type int.*without brackets"),
        ((os,), "a value of type module"),
        ((functools.partial(print),), "a value of type partial"),
        ((Elsewhere,), "Elsewhere comes from test_teach_source"),
        ((json.dumps,), "dumps comes from json"),
    ],
)
def test_the_wrong_kind_of_thing_gets_a_sentence(given, sentence):
    with pytest.raises(NoSource, match=sentence) as said:
        cell_of(given, CALL)
    assert CALL in str(said.value)


def test_a_function_without_a_cell():
    namespace = {"__name__": "__main__"}
    exec("def new_id():\n    pass\n", namespace)
    with pytest.raises(NoSource, match="cell that defines new_id was not found"):
        cell_of((namespace["new_id"],), CALL)


@pytest.mark.parametrize("answer", [None, True, 3, 2.5, "yes", b"\0", [1, ["a", {"b": None}]], {"a": (1, 2)}])
def test_plain_answers(answer):
    assert plain((answer,), CALL) is answer


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ((), "takes one answer"),
        ((1, 2), "takes one answer"),
        ((len,), "asks for data, and was given len"),
        (({1, 2},), "Yours holds a set"),
        (([{"a": object()}],), "Yours holds a object"),
        (({(1, object()): 1},), "Yours holds a object"),
    ],
)
def test_an_answer_that_is_no_plain_data(given, sentence):
    with pytest.raises(NoSource, match=sentence):
        plain(given, CALL)


def test_an_answer_that_holds_itself():
    endless = []
    endless.append(endless)
    with pytest.raises(NoSource, match="nested"):
        plain((endless,), CALL)


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    kernel = Kernel(FERNBANK_HOME=str(tmp_path_factory.mktemp("home")))
    kernel.run("from labs.teach.source import cell_of")
    yield kernel
    kernel.close()


def printed(kernel, code):
    return "".join(output.get("text", "") or str(output) for output in kernel.run(code))


def test_in_a_notebook_a_cell_that_was_run_again_counts_as_it_is_now(kernel):
    kernel.run("def f():\n    return 1")
    kernel.run("def f():\n    return 2")
    assert printed(kernel, "print(cell_of((f,), ''))") == "def f():\n    return 2\n\n"


def test_in_a_notebook_a_class_without_functions_is_found(kernel):
    kernel.run("class Policy:\n    idle = 900")
    assert "idle = 900" in printed(kernel, "print(cell_of((Policy,), ''))")


def test_in_a_notebook_a_failing_check_is_a_sentence_and_no_traceback(kernel):
    kernel.run("def f():\n    return 1")
    [error] = kernel.run("cell_of((f(),), 'check(f)')")
    assert error["traceback"] == [
        "NoSource: check was given a value of type int. Give it the thing itself, without brackets behind its name: "
        "check(f)."
    ]
