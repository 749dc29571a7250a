import json
import os
from urllib.request import Request, urlopen

shop = os.environ.get("SHOP", "http://localhost:8000")
orders = Request(f"{shop}/orders", headers={"Authorization": f"Bearer {os.environ['SHOP_KEY']}"})
with urlopen(orders) as answer:
    print(len(json.load(answer)), "orders")
