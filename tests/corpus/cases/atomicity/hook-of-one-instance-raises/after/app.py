class Player:
    def __init__(self, score):
        self.points = score * 10

    def show(self):
        return self.points

    @INSTANCE_HOOK@
        self.points = int(self.score) * 10
        del self.score


PLAYERS = [Player(1), Player(2), Player("none")]
