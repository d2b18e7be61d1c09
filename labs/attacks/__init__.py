"""The attacker: one module a family. It sees addresses and what a victim's browser may do, and no memory."""
