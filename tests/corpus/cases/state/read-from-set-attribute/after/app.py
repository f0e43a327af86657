def fetch():
    return fetch.retries


fetch.retries = 3
RETRIES = fetch.retries
PATIENCE = RETRIES * 10
CHOSEN = fetch.retries
