"""One row of a matrix of attacks on tokens: a verifier behind a bank, and every attack in turn."""


def wrong_cells(bank, target, attacks, expected):
    """What Ana lost and should not have, or the other way round: {attack: a sentence}.

    `target(identity, accounts)` is what an attack is given; `expected(attack)` gives the cell, and why.
    """
    wrong = {}
    for attack, run in attacks.items():
        before = len(bank.record.lost("ana"))
        run(target(bank.identity, bank.accounts))
        cell, why = expected(attack)
        if (len(bank.record.lost("ana")) > before) is not cell:
            wrong[attack] = f"expected {cell}: {why}"
    assert not bank.accounts.errors
    assert {exchange.status for exchange in bank.accounts.log} <= {200, 401}
    return wrong
