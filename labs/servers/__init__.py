"""Lab servers: Fernbank, a bank that is handed its mechanism."""

from labs.servers.bank import Bank, bank
from labs.servers.customers import Customer, customers
from labs.servers.record import Event, Record

__all__ = ["Bank", "Customer", "Event", "Record", "bank", "customers"]
