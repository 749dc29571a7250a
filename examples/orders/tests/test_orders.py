from starlette.testclient import TestClient

from watchword.testing.plugin import AsUser, RouteCase

BOTH = ["orders:read", "orders:write"]


def test_a_user_places_an_order_and_sees_it(as_user: AsUser) -> None:
    user = as_user(scopes=BOTH, profile={"address": "1 Main Street"})
    placed = user.post("/orders", json={"item": "tea", "quantity": 2})
    assert placed.status_code == 201
    assert placed.json()["address"] == "1 Main Street"
    assert user.get("/orders").json() == [placed.json()]


def test_others_neither_see_nor_cancel_it(as_user: AsUser) -> None:
    alice, bob = as_user(scopes=BOTH), as_user(scopes=BOTH)
    order = alice.post("/orders", json={"item": "tea"}).json()
    assert bob.get("/orders").json() == []
    assert bob.delete(f"/orders/{order['id']}").status_code == 404
    assert alice.delete(f"/orders/{order['id']}").status_code == 204


def test_scopes_and_a_login_are_needed(as_user: AsUser, anonymous: TestClient) -> None:
    assert as_user(scopes=["orders:read"]).post("/orders", json={"item": "tea"}).status_code == 403
    assert as_user().get("/orders").status_code == 403
    assert anonymous.get("/orders").status_code == 401


def test_every_route_refuses_whom_it_should(route_case: RouteCase) -> None:
    route_case()


def test_a_user_with_orders_cannot_be_deleted(as_user: AsUser) -> None:
    user = as_user(scopes=BOTH)
    order = user.post("/orders", json={"item": "tea"}).json()
    refused = user.delete("/auth/me")
    assert refused.status_code == 409
    assert refused.json()["code"] == "still_referenced"
    user.delete(f"/orders/{order['id']}")
    assert user.delete("/auth/me").status_code == 204


def test_a_websocket_tells_about_ones_own_orders(as_user: AsUser) -> None:
    alice, bob = as_user(scopes=BOTH), as_user()
    number = str(alice.post("/orders", json={"item": "tea"}).json()["id"])
    with alice.websocket_connect("/orders/live") as socket:
        socket.send_text(number)
        assert socket.receive_json() == {"order": number, "state": "placed"}
    with bob.websocket_connect("/orders/live") as socket:
        socket.send_text(number)
        assert socket.receive_json() == {"order": number, "state": "unknown"}


def test_the_report_counts_customers_and_not_the_shop(as_user: AsUser) -> None:
    name = "A customer that only this test knows"
    customer = as_user(scopes=BOTH, profile={"name": name})
    shop = as_user(scopes=BOTH, email="shop@example.com")
    for user in (customer, customer, shop):
        user.post("/orders", json={"item": "tea", "quantity": 2})
    report = as_user(scopes=["reports:read"]).get("/reports/customers").json()
    assert report[name] == 4
    assert "The shop" not in report
    assert customer.get("/reports/customers").status_code == 403
