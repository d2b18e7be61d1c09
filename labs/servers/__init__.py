"""Lab servers: Fernbank, a bank that is handed its mechanism, in one piece and split into services."""

from labs.servers.accounts import accounts
from labs.servers.bank import Bank, bank
from labs.servers.bff import bff
from labs.servers.books import Books
from labs.servers.customers import Customer, customers
from labs.servers.flask_bank import flask_bank
from labs.servers.identity import identity
from labs.servers.record import Event, Record
from labs.servers.round_robin import RoundRobin
from labs.servers.services import Services, services
from labs.servers.spa import spa
from labs.servers.statements import statements

__all__ = [
    "Bank",
    "Books",
    "Customer",
    "Event",
    "Record",
    "RoundRobin",
    "Services",
    "accounts",
    "bank",
    "bff",
    "customers",
    "flask_bank",
    "identity",
    "services",
    "spa",
    "statements",
]
