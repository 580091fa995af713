//! What stands for parking_lot, dashmap and spin in a model (`--cfg shuttle`): the methods that are used, over shuttle's
//! lock, so that its scheduler decides who comes next. In no other build.

#![allow(missing_docs)] // they are those of the crates they stand for

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::ops::Deref;
use std::sync::PoisonError;

pub use shuttle::sync::{MutexGuard, RwLockReadGuard, RwLockWriteGuard};

#[derive(Debug, Default)]
pub struct Mutex<T>(shuttle::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub fn new(value: T) -> Self {
        Self(shuttle::sync::Mutex::new(value))
    }

    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.0.try_lock().ok()
    }
}

#[derive(Debug, Default)]
pub struct RwLock<T>(shuttle::sync::RwLock<T>);

impl<T> RwLock<T> {
    pub fn new(value: T) -> Self {
        Self(shuttle::sync::RwLock::new(value))
    }

    pub fn read(&self) -> RwLockReadGuard<'_, T> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn write(&self) -> RwLockWriteGuard<'_, T> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One lock around a map, in place of dashmap's shards. What dashmap lends comes as a clone.
#[derive(Debug)]
pub struct DashMap<K, V>(Mutex<HashMap<K, V>>);

impl<K, V> Default for DashMap<K, V> {
    fn default() -> Self {
        Self(Mutex::new(HashMap::new()))
    }
}

impl<K: Eq + Hash + Clone, V: Clone> DashMap<K, V> {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<Lent<V>>
    where
        K: Borrow<Q>,
    {
        self.0.lock().get(key).cloned().map(Lent)
    }

    pub fn contains_key<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.0.lock().contains_key(key)
    }

    pub fn insert(&self, key: K, value: V) -> Option<V> {
        self.0.lock().insert(key, value)
    }

    pub fn remove<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<(K, V)>
    where
        K: Borrow<Q>,
    {
        self.0.lock().remove_entry(key)
    }

    pub fn remove_if<Q: Eq + Hash + ?Sized>(
        &self,
        key: &Q,
        condition: impl FnOnce(&K, &V) -> bool,
    ) -> Option<(K, V)>
    where
        K: Borrow<Q>,
    {
        let mut map = self.0.lock();
        let (found, value) = map.get_key_value(key)?;
        if condition(found, value) { map.remove_entry(key) } else { None }
    }

    pub fn retain(&self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        self.0.lock().retain(|key, value| keep(key, value));
    }

    pub fn clear(&self) {
        self.0.lock().clear();
    }

    pub fn len(&self) -> usize {
        self.0.lock().len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn capacity(&self) -> usize {
        self.len()
    }

    pub fn shrink_to_fit(&self) {}

    pub fn entry(&self, key: K) -> Entry<'_, K, V> {
        let map = self.0.lock();
        match map.get(&key).cloned() {
            Some(value) => Entry::Occupied(Occupied(value, map)),
            None => Entry::Vacant(Vacant(key, map)),
        }
    }
}

/// A value of the map, as dashmap lends it; it does not hold the lock.
#[derive(Debug)]
pub struct Lent<V>(V);

impl<V> Deref for Lent<V> {
    type Target = V;

    fn deref(&self) -> &V {
        &self.0
    }
}

/// A place in the map, whose lock it holds.
#[derive(Debug)]
pub enum Entry<'m, K, V> {
    Occupied(Occupied<'m, K, V>),
    Vacant(Vacant<'m, K, V>),
}

#[derive(Debug)]
pub struct Occupied<'m, K, V>(V, #[allow(dead_code)] MutexGuard<'m, HashMap<K, V>>);

#[derive(Debug)]
pub struct Vacant<'m, K, V>(K, MutexGuard<'m, HashMap<K, V>>);

impl<K: Eq + Hash, V: Clone> Entry<'_, K, V> {
    pub fn or_insert_with(self, make: impl FnOnce() -> V) -> V {
        match self {
            Self::Occupied(Occupied(value, _)) => value,
            Self::Vacant(place) => place.insert(make()),
        }
    }
}

impl<K: Eq + Hash, V: Clone> Vacant<'_, K, V> {
    pub fn insert(mut self, value: V) -> V {
        self.1.insert(self.0, value.clone());
        value
    }
}
