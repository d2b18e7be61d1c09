"""The bank's books: who banks here, what they have, how they prove who they are, and what happened."""

import time
from collections.abc import Callable

from argon2 import PasswordHasher

from labs.auth import passwords
from labs.servers.customers import Customer
from labs.servers.customers import customers as draw_customers
from labs.servers.ledger import Ledger
from labs.servers.record import Record

__all__ = ["Books"]


class Books:
    """One set of books, which one bank works on, or several services that are one bank together.

    `customers`: everybody as they were on the first day, by name (default: those of this learner's seed).
    `ledger`: money and notes as they stand now. `record`: who read, moved or wrote what. `hashes`: of the
    passwords, by name. `hasher`: of passwords; the default has minimal parameters, since a lab logs in all day.
    `clock`: seconds since 1970, for the record.
    """

    def __init__(
        self,
        customers: dict[str, Customer] | None = None,
        hasher: PasswordHasher | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.customers = draw_customers() if customers is None else customers
        self.hasher, self.clock = hasher or passwords.hasher(fast=True), clock
        self.record, self.ledger = Record(), Ledger(self.customers.values())
        self.hashes = {one.name: self.hasher.hash(one.password) for one in self.customers.values()}
