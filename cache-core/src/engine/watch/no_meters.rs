//! No meters: the feature `metrics` is off.

use std::sync::Arc;
use std::time::Duration;

use crate::cache::Cache;
use crate::engine::Shared;
use crate::stats::Stats;

pub(super) struct Meters;

impl Meters {
    pub(super) fn new(_name: &str, _cache: &Arc<dyn Cache>) -> Self {
        Self
    }

    pub(super) fn begin(_shared: &Arc<Shared>) {}

    #[inline(always)]
    pub(super) fn loaded(&self, _took: Duration) {}

    #[inline(always)]
    pub(super) fn publish(&self, _stats: &Stats) {}
}
