//! What the administration sees of all payments.

use std::sync::Arc;

use larder::cached;
use serde::{Deserialize, Serialize};

use super::super::db::{Db, Loaded};
use super::super::rows::Table;
use super::super::schema::TODAY;

#[derive(Serialize, Deserialize)]
pub struct Analytics {
    pub months: Vec<Month>,
    /// Of the last thirty days.
    pub methods: Vec<(String, i64)>,
    /// By the year in which it was due.
    pub overdue: Vec<(String, i64)>,
}

#[derive(Serialize, Deserialize)]
pub struct Month {
    pub month: String,
    pub payments: u32,
    pub cents: i64,
}

/// Six months of payments. When its hour is over, whoever asks next is answered at once from what is
/// there while it is made again in the background: so this function owns its database handle.
#[cached(key = "analytics", ttl = "1h", swr = "10m", tags = ["analytics"], skip = [db])]
pub fn analytics(db: Arc<Db>) -> Loaded<Analytics> {
    db.load(|query| {
        query.row(Table::Ledger, "SELECT id, version FROM ledger", [], |_| Ok(()))?;
        let months = query.figures(
            "SELECT substr(day, 1, 7) AS month, sum(payments), sum(cents) FROM
                 (SELECT paid_on AS day, count(*) AS payments, sum(cents) AS cents FROM payments
                  WHERE paid_on >= date(?1, 'start of month', '-5 months') GROUP BY paid_on)
             GROUP BY month ORDER BY month",
            [TODAY],
            |row| Ok(Month { month: row.get(0)?, payments: row.get(1)?, cents: row.get(2)? }),
        )?;
        let methods = query.figures(
            "SELECT method, sum(cents) FROM payments WHERE paid_on >= date(?1, '-30 days') GROUP BY method",
            [TODAY],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let overdue = query.figures(
            "SELECT substr(due_on, 1, 4), sum(cents) FROM payments WHERE paid_on IS NULL AND due_on < ?1 GROUP BY 1",
            [TODAY],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        Ok(Analytics { months, methods, overdue })
    })
}

/// What the office begins its day with.
#[derive(Serialize, Deserialize)]
pub struct Office {
    pub categories: Vec<u32>,
    pub students: u32,
    pub paid_today_cents: i64,
    pub latest: Vec<Payment>,
}

#[derive(Serialize, Deserialize)]
pub struct Payment {
    pub student: String,
    pub cents: i64,
    pub method: String,
}

#[cached(key = "admin:dashboard", ttl = "5m", tags = ["analytics"], skip = [db])]
pub fn office(db: &Db) -> Loaded<Office> {
    db.load(|query| {
        query.row(Table::Ledger, "SELECT id, version FROM ledger", [], |_| Ok(()))?;
        let categories = query.figures("SELECT id FROM categories ORDER BY id", [], |row| row.get(0))?;
        let students = query.figure("SELECT count(*) FROM students", [], |row| row.get(0))?;
        let paid_today_cents = query.figure(
            "SELECT coalesce(sum(cents), 0) FROM payments WHERE paid_on = ?1",
            [TODAY],
            |row| row.get(0),
        )?;
        let latest = query.rows(
            Table::Payment,
            "SELECT p.id, p.version, s.name, p.cents, p.method FROM
                 (SELECT * FROM payments WHERE paid_on IS NOT NULL ORDER BY paid_on DESC LIMIT 10) p
             JOIN students s ON s.id = p.student_id",
            [],
            |row| Ok(Payment { student: row.get(2)?, cents: row.get(3)?, method: row.get(4)? }),
        )?;
        Ok(Office { categories, students, paid_today_cents, latest })
    })
}
