//! A function that writes, and what of the cache changes when it has returned.

use std::mem;
use std::sync::Arc;

use super::buffer::{Buffer, next_group};
use super::change::{Change, Store, deliver};
use super::update::Update;
use super::{make_now, scope};
use crate::engine::{Engine, Loaded};
use crate::error::Error;
use crate::policy::Policy;
use crate::target::Target;
use crate::value::{Cacheable, Value};

/// One call of a writing function: made before it writes, finished when it has.
///
/// If it is dropped before, because the function panicked or its future was dropped, nobody knows whether it has written:
/// then what was named before is forgotten, which is always right.
pub struct Writer {
    transaction: Option<Arc<Buffer>>,
    group: u64,
    rules: Vec<Rule>,
    /// What is named so far, each by the rule of this number.
    changes: Vec<(usize, Change)>,
}

/// One attribute.
struct Rule {
    engine: Engine,
    /// Also after `Err` and `None`.
    always: bool,
    /// Its error is for the caller of the function.
    hands_out: bool,
    update: Option<Update>,
    /// Of the update, if it is known before.
    key: Option<Box<str>>,
}

impl Default for Writer {
    fn default() -> Self {
        Self::new()
    }
}

impl Writer {
    /// A call that begins now, in the transaction of this scope.
    pub fn new() -> Self {
        let transaction = scope::current();
        let group = transaction.as_ref().map_or_else(next_group, |buffer| buffer.group);
        Self { transaction, group, rules: Vec::new(), changes: Vec::new() }
    }

    /// Begins the next rule; they count from 0.
    pub fn rule(&mut self, engine: &Engine, always: bool, hands_out: bool) {
        self.rules.push(Rule { engine: engine.clone(), always, hands_out, update: None, key: None });
    }

    /// The rule forgets what `target` covers.
    pub fn forget(&mut self, rule: usize, target: Target<'_>) {
        let change = Change::forget(&self.rules[rule].engine, target);
        self.changes.push((rule, change));
    }

    /// The rule stores what the function returns; under `key`, if that is known already.
    pub fn update(&mut self, rule: usize, key: Option<&str>) {
        let rule = &mut self.rules[rule];
        rule.update = Some(Update::begin(&rule.engine, self.group));
        rule.key = key.map(Into::into);
    }

    /// What an update stores, as it is handed on.
    pub fn store<T: Cacheable>(
        &mut self,
        rule: usize,
        key: &str,
        loaded: Loaded<T>,
        policy: Policy,
    ) -> Arc<T> {
        if let Some(update) = self.rules[rule].update.take() {
            let value = Value::new(loaded.value.clone());
            let store = Store { update, key: key.into(), value, policy };
            self.changes.push((rule, Change::Store(Box::new(store))));
        }
        loaded.value
    }

    /// The function has returned: its changes are made, or wait for the commit. The error that its caller is to have.
    pub async fn finish(mut self, succeeded: bool) -> Option<Error> {
        let mut rules = mem::take(&mut self.rules);
        let planned = mem::take(&mut self.changes);
        let planned = planned.into_iter().filter(|(rule, _)| succeeded || rules[*rule].always);
        // What it returned is newer than what it forgets.
        let (values, mut planned): (Vec<_>, Vec<_>) =
            planned.partition(|(_, change)| matches!(change, Change::Store(_)));
        planned.extend(values);
        let (of, changes): (Vec<usize>, Vec<Change>) =
            planned.into_iter().filter_map(|(rule, change)| Some((rule, self.wait(change)?))).unzip();
        rules.iter_mut().for_each(|rule| rule.update = None);
        let answers = deliver(self.group, &changes).await.unwrap_or_default();
        let mut handed_out = None;
        for ((rule, change), answer) in of.into_iter().zip(&changes).zip(answers) {
            match answer {
                Err(error) if rules[rule].hands_out && handed_out.is_none() => handed_out = Some(error),
                Err(error) => change.engine().note(&error),
                Ok(()) => {}
            }
        }
        handed_out
    }

    /// Keeps a change for the commit; gives it back if it is to be made now.
    fn wait(&self, change: Change) -> Option<Change> {
        match &self.transaction {
            Some(buffer) => buffer.keep(change).err(),
            None => Some(change),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if self.rules.is_empty() {
            return;
        }
        let updated = self
            .rules
            .iter()
            .filter_map(|rule| Some(Change::forget(&rule.engine, Target::Key(rule.key.as_deref()?))));
        let named = mem::take(&mut self.changes).into_iter().map(|(_, change)| change);
        let named = named.filter(|change| matches!(change, Change::Strike { .. }));
        let changes: Vec<_> = named.chain(updated).filter_map(|change| self.wait(change)).collect();
        make_now(self.group, &changes);
    }
}
