//! The example: a small shop in Python, a change with a few true defects, and a second commit that mends the worst.
//!
//! It is a real repository, made with git, so that the diff is a real one. What a scanner of this project would take for
//! a leaked key or an unresolved conflict is put together here.

use autopr_e2e::Repository;

use crate::change::Change;

/// The title of the pull request.
pub(crate) const TITLE: &str = "Take payments, and show carts page by page";

/// Its description.
pub(crate) const BODY: &str = "Carts can be paid now, and long ones are shown ten items at a time.";

/// The pull request as it is opened, and as it is after the second push.
pub(crate) struct Example {
    /// From the default branch to the first commit.
    pub(crate) opened: Change,
    /// From the default branch to the second commit.
    pub(crate) mended: Change,
}

/// Makes the repository and reads both ranges.
pub(crate) fn make() -> Result<Example, String> {
    let repository = Repository::default();
    repository.write("src/shop/cart.py", CART).write("deploy/values.yaml", "replicas: 2\ntimeout: 30\n");
    repository.write("tests/test_cart.py", TESTS).commit("Begin");
    repository.write("src/shop/cart.py", [CART, AVERAGE, PAGE].concat());
    repository.write("src/shop/payments.py", PAYMENTS.replace("@TOKEN@", &format!("\"{}\"", leaked())));
    repository.write("deploy/values.yaml", conflict());
    repository.write("tests/test_cart.py", [TESTS, MORE_TESTS].concat());
    repository.commit(&format!("{TITLE}\n\n{BODY}"));
    let opened = Change::read(repository.path(), &"HEAD~1..HEAD".parse()?)?;
    repository.write("src/shop/cart.py", [CART, &AVERAGE.replace(RISKY, SAFE), PAGE].concat());
    repository.write("src/shop/payments.py", PAYMENTS.replace("@TOKEN@", "os.environ[\"PAYMENTS_TOKEN\"]"));
    repository.write("deploy/values.yaml", "replicas: 2\ntimeout: 45\n");
    repository.commit("Read the token from the environment, settle the conflict, mind empty carts");
    let mended = Change::read(repository.path(), &"HEAD~2..HEAD".parse()?)?;
    Ok(Example { opened, mended })
}

/// A key in the form of a payment provider's, in pieces so that this file holds none.
pub(crate) fn leaked() -> String {
    ["sk_li", "ve_", "Zq81LmC4vTnR", "x2Wd9PkE7YhB"].concat()
}

fn conflict() -> String {
    let mark = |sign: &str| sign.repeat(7);
    let (ours, between, theirs) = (mark("<"), mark("="), mark(">"));
    format!("replicas: 2\n{ours} HEAD\ntimeout: 30\n{between}\ntimeout: 45\n{theirs} payments\n")
}

const CART: &str = r#""""The cart: what a customer is about to buy."""

from dataclasses import dataclass


@dataclass
class Item:
    name: str
    cents: int
    quantity: int


class Cart:
    def __init__(self, items: list[Item]):
        self.items = items

    def total(self) -> int:
        return sum(item.cents * item.quantity for item in self.items)
"#;

const AVERAGE: &str = r#"
    def average(self) -> float:
        """The average price of a piece, in cents."""
        pieces = sum(item.quantity for item in self.items)
        return self.total() / pieces
"#;

const RISKY: &str = "        return self.total() / pieces";
const SAFE: &str = "        return self.total() / pieces if pieces else 0.0";

const PAGE: &str = r#"
    def page(self, number: int, size: int = 10) -> list[Item]:
        """The items on a page; the first page is number 1."""
        start = number * size
        return self.items[start : start + size]
"#;

const PAYMENTS: &str = r#""""Asks the payment provider for money."""

import os

import requests

from shop.cart import Cart

API = os.environ.get("PAYMENTS_API", "https://payments.example.com/v2")
TOKEN = @TOKEN@


def charge(cart: Cart, customer: str) -> str:
    """Charges the customer and returns the number of the payment."""
    order = {"customer": customer, "cents": cart.total()}
    answer = requests.post(f"{API}/charges", json=order, headers={"Authorization": f"Bearer {TOKEN}"})
    answer.raise_for_status()
    return answer.json()["id"]
"#;

const TESTS: &str = r#"from shop.cart import Cart, Item


def test_total():
    assert Cart([Item("tea", 450, 2)]).total() == 900
"#;

const MORE_TESTS: &str = r#"

def test_average():
    assert Cart([Item("tea", 450, 2)]).average() == 450.0
"#;
