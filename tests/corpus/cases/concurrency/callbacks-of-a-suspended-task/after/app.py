import contextlib

LOG = []


@contextlib.asynccontextmanager
async def session():
    LOG.append("open new")
    try:
        yield
    finally:
        LOG.append("close new")


async def work(go):
    async with session():
        await go.wait()
        return "new", tail()


def tail():
    return 2


def done(future):
    LOG.append(("new", future.result()))
