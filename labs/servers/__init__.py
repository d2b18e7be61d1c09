"""Lab servers: Fernbank, a bank that is handed its mechanism."""

from labs.servers.bank import Bank, bank
from labs.servers.books import Books
from labs.servers.customers import Customer, customers
from labs.servers.flask_bank import flask_bank
from labs.servers.record import Event, Record
from labs.servers.round_robin import RoundRobin

__all__ = ["Bank", "Books", "Customer", "Event", "Record", "RoundRobin", "bank", "customers", "flask_bank"]
