"""The refresh loop of a client as one pure function: what to do when a token has ended, and ten requests find out."""

from typing import TypedDict

__all__ = ["Action", "Event", "State", "start", "step"]

MOST_SENDS = 2  # of one request: with the token in hand, and once more with a fresh one

Action = list[str]
"""["send", id, token], ["fail", id], ["refresh"] or ["logout"]."""

Event = dict[str, str]
"""`type`, and what goes with it: see step()."""


class State(TypedDict):
    """All that the loop knows, as plain data. It holds no refresh token: only who refreshes needs that."""

    token: str | None  # the access token in hand; None: logged out
    refreshing: bool  # is a refresh under way?
    waiting: list[str]  # the requests that go on when it ends
    sent: dict[str, int]  # how often each open request has been sent


def start(token: str) -> State:
    """The state of a client that has just got this access token."""
    return {"token": token, "refreshing": False, "waiting": [], "sent": {}}


def step(state: State, event: Event) -> tuple[State, list[Action]]:
    """The state after `event`, and what the client has to do now. Neither argument is changed.

    What may happen, by its `type`: a `request` (`id`) is to be made; one was answered with 401, `unauthorized`
    (`id`, and the `token` it was sent with), or otherwise, `answered` (`id`); the refresh that is under way brought
    a new access `token` (`refreshed`), was turned down (`refused`, RFC 6749 §5.2 invalid_grant), or got no answer
    (`unavailable`); the customer logs out (`logout`).

    Refresh tokens are good for one use (RFC 9700 §4.14.2): two refreshes at once would look like a theft. So there
    is one at a time, and a 401 that comes late, for a token that has been replaced, starts none.
    """
    state = {**state, "waiting": list(state["waiting"]), "sent": dict(state["sent"])}
    match event["type"]:
        case "request" | "unauthorized":
            return state, _request(state, event)
        case "answered":
            state["sent"].pop(event["id"], None)
            return state, []
        case "refreshed" | "refused" | "unavailable" if not state["refreshing"]:
            return state, []  # the customer has logged out meanwhile: what comes now brings nobody back
        case kind:
            return state, _end_of_waiting(state, kind, event.get("token"))


def _request(state: State, event: Event) -> list[Action]:
    """What becomes of one request now. Changes `state`."""
    id = event["id"]
    sends = state["sent"].get(id, 0)
    late = event["type"] == "unauthorized"
    # Sent twice: a fresh token did not help, so another would not. Never sent: it is of before the last log-in.
    if state["token"] is None or sends >= MOST_SENDS or (late and not sends):
        return [_fail(state, id)]
    if late and not state["refreshing"] and event["token"] == state["token"]:
        state["refreshing"] = True
        state["waiting"].append(id)
        return [["refresh"]]
    if state["refreshing"]:
        state["waiting"].append(id)
        return []
    return [_send(state, id)]


def _end_of_waiting(state: State, kind: str, token: str | None) -> list[Action]:
    """The refresh has ended, or the customer has logged out. Changes `state`."""
    waiting, state["waiting"], state["refreshing"] = state["waiting"], [], False
    if kind == "refreshed":
        state["token"] = token
        return [_send(state, id) for id in waiting]
    failed = [_fail(state, id) for id in waiting]
    if kind == "unavailable" or state["token"] is None:
        return failed  # an outage is no log-out: the next 401 asks again
    state["token"] = None
    return [*failed, ["logout"]]


def _send(state: State, id: str) -> Action:
    state["sent"][id] = state["sent"].get(id, 0) + 1
    return ["send", id, state["token"]]


def _fail(state: State, id: str) -> Action:
    state["sent"].pop(id, None)
    return ["fail", id]
