X = []
for i in range(3):
    X.append(i * 2)
