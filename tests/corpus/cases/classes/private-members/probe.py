import bank


def before():
    account = bank.Account()
    assert account.total(3) == 9
    return {"account": account}


def after(state):
    assert state["account"].total(3) == 25
    assert bank.Account().total(3) == 25
    assert not [name for name in vars(bank.Account) if name.startswith("__") and not name.endswith("__")]
