//! Owns accounts.

use exports::test::bank::ledger::{
    Account, AccountBorrow, Entry, Guest, GuestAccount, Refusal,
};
use std::cell::RefCell;
use std::sync::atomic::{AtomicU32, Ordering};

wit_bindgen::generate!({
    path: ["../../bank", "../wit"],
    world: "test:vault/vault",
});

static OPEN: AtomicU32 = AtomicU32::new(0);

struct Component;

struct Book {
    owner: String,
    entries: RefCell<Vec<Entry>>,
}

impl Book {
    fn balance(&self) -> i64 {
        self.entries.borrow().iter().map(|entry| entry.amount).sum()
    }
}

impl Drop for Book {
    fn drop(&mut self) {
        OPEN.fetch_sub(1, Ordering::Relaxed);
    }
}

impl GuestAccount for Book {
    fn new(owner: String) -> Self {
        OPEN.fetch_add(1, Ordering::Relaxed);
        Book {
            owner,
            entries: RefCell::new(Vec::new()),
        }
    }

    fn owner(&self) -> String {
        self.owner.clone()
    }

    fn book(&self, entry: Entry) -> Result<i64, Refusal> {
        if entry.note.is_empty() {
            return Err(Refusal::Unreadable(format!("{} writes nothing", self.owner)));
        }
        let balance = self.balance() + entry.amount;
        if balance < 0 {
            return Err(Refusal::TooLittle(self.balance()));
        }
        self.entries.borrow_mut().push(entry);
        Ok(balance)
    }

    fn entries(&self) -> Vec<Entry> {
        self.entries.borrow().clone()
    }
}

impl Guest for Component {
    type Account = Book;

    fn sum(accounts: Vec<AccountBorrow<'_>>) -> i64 {
        accounts.iter().map(|one| one.get::<Book>().balance()).sum()
    }

    fn close(account: Account) -> Vec<Entry> {
        account.into_inner::<Book>().entries.borrow().clone()
    }

    fn open_accounts() -> u32 {
        OPEN.load(Ordering::Relaxed)
    }
}

export!(Component);
