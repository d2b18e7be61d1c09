"""A phone's banking app, without the phone: tokens over real HTTP, the refresh loop, a vault for what must last."""

import queue
import threading
from typing import Any

from labs.auth.refresh_loop import Event, start, step
from labs.auth.vault import Vault
from labs.bench import BenchError, Response, Site

__all__ = ["LoggedOut", "Phone"]

CLIENT = "phone"
LOGGED_OUT = start("") | {"token": None}


class LoggedOut(Exception):
    """Nobody is logged in, or not any more. The customer gives the password again."""


class Phone:
    """One customer's app. Safe to use from several threads: ten requests may be under way at once.

    `identity` and `accounts`: the running services. `person`: who holds it, for the bank's record. The access token
    is in memory only; the refresh token, which must outlast a restart, is in `vault`, whose errors pass.

    It takes the password itself, which a real app never sees: it opens the bank's own page in the system's browser
    (RFC 8252 §6).
    """

    def __init__(self, identity: Site, accounts: Site, vault: Vault, person: str) -> None:
        self._identity, self._accounts = identity.visitor(person), accounts.visitor(person)
        self._vault, self._state, self._numbers = vault, LOGGED_OUT, 0
        self._lock = threading.Lock()  # for the state: held for a moment
        self._turn = threading.Lock()  # log-in, refresh, log-out: one at a time, or tokens would get mixed up
        self._mail: dict[str, queue.SimpleQueue[str | None]] = {}  # a token for a request, or None: it failed

    @property
    def logged_in(self) -> bool:
        """Whether there is a token; the bank may see that otherwise."""
        return self._state["token"] is not None

    def login(self, user: str, password: str) -> None:
        """Log in. Raises LoggedOut when the bank refuses, and BenchError when it does not answer."""
        with self._turn:
            self._happens({"type": "logout"})
            body = {"username": user, "password": password, "client": CLIENT}
            answer = self._identity.post("/login", json=body)
            if answer.status != 200:
                raise LoggedOut(f"Identity answered {answer.status}: {answer.text.strip()}")
            self._begin(answer.json())

    def resume(self) -> bool:
        """When the app is started: go on with the token of the vault. False when there is none, or it has ended.

        Raises BenchError in an outage; the vault stays as it is then.
        """
        with self._turn:
            token = self._vault.token()
            answer = None if token is None else self._renew(token)
            if answer is not None and answer.status == 200:
                self._begin(answer.json())
            elif answer is not None and answer.status == 400:
                self._vault.clear()
            elif answer is not None:
                raise BenchError(f"Identity answered {answer.status}: {answer.text.strip()}")
            return self.logged_in

    def logout(self) -> None:
        """Forget the tokens and have the bank end them: or else a copy of the refresh token would go on."""
        with self._turn:
            token = self._vault.token()
            self._happens({"type": "logout"})
            if token is not None:
                self._identity.post("/revoke", json={"refresh_token": token})

    def get(self, path: str) -> Response:
        """Send a GET to accounts; see `request`."""
        return self.request("GET", path)

    def post(self, path: str, json: Any) -> Response:
        """Send a POST with a JSON body to accounts; see `request`."""
        return self.request("POST", path, json=json)

    def request(self, method: str, path: str, **body: Any) -> Response:
        """Send a request with the token in hand, if need be once more with a fresh one, and give the answer.

        It is a 401 where a fresh token did not help, or none was to be had. Raises LoggedOut, and BenchError when
        there is no answer.
        """
        with self._lock:
            self._numbers += 1
            id, mine = f"r{self._numbers}", queue.SimpleQueue()
            self._mail[id] = mine
        answer = None
        try:
            self._happens({"type": "request", "id": id})
            while (token := mine.get()) is not None:
                answer = self._accounts.request(method, path, headers={"Authorization": f"Bearer {token}"}, **body)
                if answer.status != 401:
                    return answer
                self._happens({"type": "unauthorized", "id": id, "token": token})
        finally:
            self._happens({"type": "answered", "id": id})
            del self._mail[id]
        if not self.logged_in:
            raise LoggedOut("Nobody is logged in: give the password.")
        if answer is None:
            raise BenchError("The token has ended, and no other can be had just now: try again in a few seconds.")
        return answer

    # ---- the loop ------------------------------------------------------------------------------------

    def _happens(self, event: Event) -> None:
        """Let the loop decide, and do what it says. A refresh is made by the thread whose 401 asked for it."""
        with self._lock:
            self._state, actions = step(self._state, event)
        for what, *rest in actions:
            match what:
                case "send":
                    self._mail[rest[0]].put(rest[1])
                case "fail":
                    self._mail[rest[0]].put(None)
                case "logout":
                    self._vault.clear()
                case "refresh":
                    self._refresh()

    def _refresh(self) -> None:
        with self._turn:
            if not self._state["refreshing"]:
                return  # the customer logged out before it began
            event = {"type": "unavailable"}
            try:
                event = self._refreshed()
            finally:  # whatever went wrong: nobody waits for ever
                self._happens(event)

    def _refreshed(self) -> Event:
        """Ask identity for new tokens, and say how that went, as an event of the loop."""
        try:
            answer = self._renew(self._vault.token() or "none")
        except BenchError:  # nobody is there
            return {"type": "unavailable"}
        if answer.status != 200:
            return {"type": "refused" if answer.status == 400 else "unavailable"}
        given = answer.json()
        self._vault.keep(given["refresh_token"])  # before anything is sent: the one before is used up
        return {"type": "refreshed", "token": given["access_token"]}

    def _renew(self, token: str) -> Response:
        return self._identity.post("/refresh", json={"refresh_token": token, "client": CLIENT})

    def _begin(self, given: dict[str, Any]) -> None:
        self._vault.keep(given["refresh_token"])
        with self._lock:
            self._state = start(given["access_token"])
