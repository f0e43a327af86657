class Jobs:
    default = "day"

    def sweep(self):
        return "swept"
