from base import Base


def cost(hours):
    return hours * 80


class Job(Base):
    cost = staticmethod(cost)

    def close(self):
        return super().run()


JOB = Job()
CALLBACKS = [JOB.run, Job.cost]
