from base import Base


class Job(Base):
    def run(self):
        return "job", type(self).__name__

    @staticmethod
    def cost(hours):
        return hours

    def close(self):
        return "closed"


JOB = Job()
CALLBACKS = [JOB.run, Job.cost]
