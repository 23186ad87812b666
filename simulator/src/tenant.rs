//! One customer: its accounts and its fleet.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use jiff::Timestamp;

use crate::clock::Clock;
use crate::fleet::{Fleet, generate};
use crate::people::{Privileges, User};
use crate::random::Draw;

/// Domains of the first customers; RFC 2606 keeps them free.
const DOMAINS: [&str; 6] = [
    "school.example",
    "second.example",
    "third.example",
    "fourth.example",
    "fifth.example",
    "sixth.example",
];

/// One customer of Google Workspace.
#[derive(Debug)]
pub struct Tenant {
    customer_id: String,
    domain: String,
    users: RwLock<Vec<User>>,
    clock: Arc<Clock>,
    fleet: RwLock<Fleet>,
}

/// The domain of the customer with this number, counted from 0.
pub(crate) fn usual_domain(number: usize) -> String {
    DOMAINS.get(number).map_or_else(
        || format!("customer-{}.example", number + 1),
        |domain| (*domain).to_owned(),
    )
}

/// A customer ID as Google makes them, from the seed.
pub(crate) fn usual_customer_id(seed: u64, domain: &str) -> String {
    let draw = Draw::new(seed).of("customer").of(domain);
    let letter = |position: u64| char::from(*draw.at(position).pick(b"0123456789abcdefghijklmnopqrstuvwxyz"));
    format!("C0{}", (0..7).map(letter).collect::<String>())
}

impl Tenant {
    /// A customer with a generated fleet as it stands at the time of the clock.
    pub(crate) fn generate(
        seed: u64,
        customer_id: &str,
        domain: &str,
        devices: u32,
        clock: &Arc<Clock>,
    ) -> Self {
        let now = clock.now().as_second();
        Self {
            customer_id: customer_id.to_owned(),
            domain: domain.to_owned(),
            users: RwLock::new(usual_users(seed, customer_id, domain)),
            clock: Arc::clone(clock),
            fleet: RwLock::new(generate::fleet(seed, domain, devices, now)),
        }
    }

    /// The immutable customer ID (`C0…`).
    #[must_use]
    pub fn customer_id(&self) -> &str {
        &self.customer_id
    }

    /// The primary domain.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The first super administrator: the account to sign in with.
    #[must_use]
    pub fn admin_email(&self) -> String {
        format!("admin@{}", self.domain)
    }

    /// All accounts.
    #[must_use]
    pub fn users(&self) -> Vec<User> {
        self.read_users().clone()
    }

    /// The account with this primary e-mail address (case-insensitive) or id.
    #[must_use]
    pub fn find_user(&self, key: &str) -> Option<User> {
        self.read_users().iter().find(|user| user.is_called(key)).cloned()
    }

    /// Changes an account; false if there is none.
    pub(crate) fn change_user(&self, key: &str, change: impl FnOnce(&mut User)) -> bool {
        let mut users = self.users.write().unwrap_or_else(PoisonError::into_inner);
        match users.iter_mut().find(|user| user.is_called(key)) {
            Some(user) => {
                change(user);
                true
            }
            None => false,
        }
    }

    /// Deletes an account; false if there is none.
    pub(crate) fn remove_user(&self, key: &str) -> bool {
        let mut users = self.users.write().unwrap_or_else(PoisonError::into_inner);
        let before = users.len();
        users.retain(|user| !user.is_called(key));
        users.len() < before
    }

    /// How many devices are listed.
    #[must_use]
    pub fn device_count(&self) -> usize {
        self.with_fleet(|fleet, _| fleet.listed_count())
    }

    /// Looks at the devices, after everything has happened that is due by now. The time is that of the look.
    pub(crate) fn with_fleet<T>(&self, look: impl FnOnce(&Fleet, Timestamp) -> T) -> T {
        let fleet = self.fleet.read().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        if !fleet.agenda.is_due(now) {
            return look(&fleet, now);
        }
        drop(fleet);
        let (fleet, now) = self.settled_fleet();
        look(&RwLockWriteGuard::downgrade(fleet), now)
    }

    /// Changes the devices, after everything has happened that is due by now. The time is that of the change.
    pub(crate) fn change_fleet<T>(&self, change: impl FnOnce(&mut Fleet, Timestamp) -> T) -> T {
        let (mut fleet, now) = self.settled_fleet();
        change(&mut fleet, now)
    }

    /// The clock is read under the lock: no change can have an earlier time than one that came before it.
    fn settled_fleet(&self) -> (RwLockWriteGuard<'_, Fleet>, Timestamp) {
        let mut fleet = self.fleet.write().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        fleet.settle(now);
        (fleet, now)
    }

    fn read_users(&self) -> RwLockReadGuard<'_, Vec<User>> {
        self.users.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Administrators of every kind, and a teacher who is none.
fn usual_users(seed: u64, customer_id: &str, domain: &str) -> Vec<User> {
    let source = Draw::new(seed).of("users").of(domain);
    let chrome = Privileges {
        chrome_devices: true,
        org_units: true,
        users: true,
        customer: false,
    };
    let people = [
        ("admin", "Alex", "Adler", User::SUPER, Privileges::ALL),
        ("device-admin", "Dana", "Dorn", User::DELEGATED, chrome),
        (
            "helpdesk",
            "Hanne",
            "Holt",
            User::DELEGATED,
            Privileges {
                users: true,
                ..Privileges::default()
            },
        ),
        ("teacher", "Toni", "Thal", User::NEITHER, Privileges::default()),
        ("former-admin", "Frida", "Falk", User::SUPER, Privileges::ALL),
        ("new-admin", "Nils", "Norden", User::SUPER, Privileges::ALL),
    ];
    let users = people.into_iter().map(
        |(name, given, family, (is_admin, is_delegated_admin), privileges)| User {
            id: format!("1{:020}", source.of(name).below(100_000_000_000_000_000)),
            primary_email: format!("{name}@{domain}"),
            customer_id: customer_id.to_owned(),
            given_name: given.to_owned(),
            family_name: family.to_owned(),
            is_admin,
            is_delegated_admin,
            suspended: name == "former-admin",
            archived: false,
            org_unit_path: "/".to_owned(),
            agreed_to_terms: name != "new-admin",
            privileges,
        },
    );
    users.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn customers_have_ids_and_accounts_of_their_own() {
        let clock = Arc::new(Clock::new(Timestamp::UNIX_EPOCH, 0.0).unwrap());
        let customer = |domain| Tenant::generate(7, &usual_customer_id(7, domain), domain, 0, &clock);
        let (first, second) = (customer("school.example"), customer("second.example"));
        assert_ne!(first.customer_id(), second.customer_id());
        assert_eq!(first.customer_id().len(), 9);
        let admin = first.find_user("ADMIN@school.example").unwrap();
        assert_eq!((admin.id.len(), admin.is_admin), (21, true));
        assert_eq!(
            first.find_user(&admin.id).unwrap().primary_email,
            first.admin_email()
        );
        assert!(second.find_user(&first.admin_email()).is_none());
    }

    #[test]
    fn every_customer_has_a_domain() {
        assert_eq!(usual_domain(0), "school.example");
        assert_eq!(usual_domain(9), "customer-10.example");
    }
}
