//! The database: a bounded pool of reading connections and one that writes. Every query is counted.

use std::cell::{Cell, RefCell};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Params, Result, Row as SqlRow, Transaction, TransactionBehavior};

use super::rows::{Row, Seen, Table};
use super::seed::sibling;

/// How long a connection waits for another process.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a cached function of this application returns.
pub type Loaded<T> = Result<Arc<Seen<T>>>;

pub struct Db {
    idle: Mutex<Vec<Connection>>,
    returned: Condvar,
    writer: Mutex<Connection>,
    queries: AtomicU64,
    /// Last, so that the file goes after the connections to it.
    _copy: Option<WorkingCopy>,
}

thread_local! {
    static QUERIES_OF_THIS_THREAD: Cell<u64> = const { Cell::new(0) };
}

impl Db {
    /// Opens a copy of the file, which goes when the database is dropped: so every replay begins alike.
    pub fn open_copy(file: &Path, connections: usize) -> super::Result<Self> {
        let copy = WorkingCopy::of(file)?;
        let db = Self::open(&copy.file, connections)?;
        Ok(Self { _copy: Some(copy), ..db })
    }

    /// Opens the file, which other processes may use too.
    pub fn open(file: &Path, connections: usize) -> super::Result<Self> {
        let writer = Connection::open(file)?;
        writer.busy_timeout(PATIENCE)?;
        writer.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -4096;",
        )?;
        let readers = (0..connections).map(|_| {
            let reader = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
            reader.busy_timeout(PATIENCE)?;
            reader.execute_batch("PRAGMA cache_size = -4096;")?;
            reader.set_prepared_statement_cache_capacity(64);
            Ok(reader)
        });
        Ok(Self {
            idle: Mutex::new(readers.collect::<Result<_>>()?),
            returned: Condvar::new(),
            writer: Mutex::new(writer),
            queries: AtomicU64::new(0),
            _copy: None,
        })
    }

    /// Loads a part of a page from one snapshot of the database, and notes the rows it was made from.
    pub fn load<T>(&self, part: impl FnOnce(&Query<'_>) -> Result<T>) -> Loaded<T> {
        let borrowed = self.borrow();
        let snapshot = borrowed.connection().unchecked_transaction()?;
        let query = Query { snapshot, db: self, seen: RefCell::default() };
        let value = part(&query)?;
        Ok(Arc::new(Seen::new(value, query.seen.into_inner())))
    }

    /// Runs one writing transaction. SQLite has one writer, so writers queue here.
    pub fn write<T>(&self, change: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let mut writer = lock(&self.writer);
        // At once, so that no other process writes between what it reads and what it writes.
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let outcome = change(&transaction)?;
        transaction.commit()?;
        Ok(outcome)
    }

    /// Reading queries so far, on whatever thread.
    pub fn queries(&self) -> u64 {
        self.queries.load(Ordering::Relaxed)
    }

    /// Reading queries that this thread has made so far.
    pub fn queries_of_this_thread() -> u64 {
        QUERIES_OF_THIS_THREAD.get()
    }

    fn borrow(&self) -> Borrowed<'_> {
        let mut idle = lock(&self.idle);
        loop {
            match idle.pop() {
                Some(connection) => return Borrowed { db: self, connection: Some(connection) },
                None => idle = self.returned.wait(idle).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }
}

/// A copy of a file, which goes when this is dropped.
pub struct WorkingCopy {
    pub file: PathBuf,
}

impl WorkingCopy {
    pub fn of(original: &Path) -> std::io::Result<Self> {
        let file = sibling(original);
        fs::copy(original, &file)?;
        Ok(Self { file })
    }
}

impl Drop for WorkingCopy {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm"] {
            let mut path = self.file.clone().into_os_string();
            path.push(suffix);
            let _ = fs::remove_file(path);
        }
    }
}

/// A connection that goes back to the pool by itself.
struct Borrowed<'a> {
    db: &'a Db,
    connection: Option<Connection>,
}

impl Borrowed<'_> {
    fn connection(&self) -> &Connection {
        self.connection.as_ref().expect("the connection is there until the drop")
    }
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        lock(&self.db.idle).extend(self.connection.take());
        self.db.returned.notify_one();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Queries of one load, all from the same snapshot.
pub struct Query<'a> {
    snapshot: Transaction<'a>,
    db: &'a Db,
    seen: RefCell<Vec<Row>>,
}

impl Query<'_> {
    /// Rows of `table`; the statement's first two columns are their `id` and `version`.
    pub fn rows<T>(
        &self,
        table: Table,
        sql: &str,
        params: impl Params,
        read: impl Fn(&SqlRow<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        self.figures(sql, params, |row| {
            self.seen.borrow_mut().push(Row { table, id: row.get(0)?, version: row.get(1)? });
            read(row)
        })
    }

    /// The one row of `table` that the statement finds, likewise.
    pub fn row<T>(
        &self,
        table: Table,
        sql: &str,
        params: impl Params,
        read: impl Fn(&SqlRow<'_>) -> Result<T>,
    ) -> Result<T> {
        self.rows(table, sql, params, read)?.pop().ok_or(rusqlite::Error::QueryReturnedNoRows)
    }

    /// Counts, sums, averages: what is no row of a table.
    pub fn figures<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&SqlRow<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        self.db.queries.fetch_add(1, Ordering::Relaxed);
        QUERIES_OF_THIS_THREAD.set(QUERIES_OF_THIS_THREAD.get() + 1);
        self.snapshot.prepare_cached(sql)?.query_map(params, read)?.collect()
    }

    pub fn figure<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&SqlRow<'_>) -> Result<T>,
    ) -> Result<T> {
        self.figures(sql, params, read)?.pop().ok_or(rusqlite::Error::QueryReturnedNoRows)
    }
}
