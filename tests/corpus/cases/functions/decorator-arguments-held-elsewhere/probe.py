from types import SimpleNamespace

import work


def before():
    queue = [work.send]
    assert queue[0]("ana") == ["to ana"]
    return SimpleNamespace(queue=queue, actions=work.ACTIONS)


def after(state):
    assert work.send("ana") == ["to ana"] * 3
    assert state.actions is work.ACTIONS
    assert work.ACTIONS["send"]("ana") == ["to ana"] * 3
    assert state.queue[0]("ana") == ["to ana"] * 3
