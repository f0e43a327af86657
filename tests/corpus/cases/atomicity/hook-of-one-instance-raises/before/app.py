class Player:
    def __init__(self, score):
        self.score = score

    def show(self):
        return self.score


PLAYERS = [Player(1), Player(2), Player("none")]
