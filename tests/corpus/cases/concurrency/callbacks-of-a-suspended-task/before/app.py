import contextlib

LOG = []


@contextlib.asynccontextmanager
async def session():
    LOG.append("open old")
    try:
        yield
    finally:
        LOG.append("close old")


async def work(go):
    async with session():
        await go.wait()
        return "old", tail()


def tail():
    return 1


def done(future):
    LOG.append(("old", future.result()))
