import asyncio


def before():
    import app
    loop, go = asyncio.new_event_loop(), asyncio.Event()

    async def start():
        task = asyncio.ensure_future(app.work(go))
        task.add_done_callback(app.done)
        while "open old" not in app.LOG:
            await asyncio.sleep(0)
        return task

    return loop, go, loop.run_until_complete(start())


def after(state):
    import app
    loop, go, task = state

    async def end():
        go.set()
        await task
        again = await app.work(go)
        await asyncio.sleep(0)
        return again

    again = loop.run_until_complete(end())
    loop.close()
    assert task.result() == ("old", 2)
    assert again == ("new", 2)
    assert app.LOG == ["open old", "close old", "open new", ("new", ("old", 2)), "close new"] or app.LOG == [
        "open old", "close old", ("new", ("old", 2)), "open new", "close new"
    ], app.LOG
